# What each part of KTSE gives on six animal classes of VOC 2012.
#
#   python tools/analysis_tools/run_study.py \
#       configs/ktse/studies/voc12_animals/study.py --cfg-options data_root=DIR
data_root = 'data/voc12_animals'
# Small files with the figures of finished runs.
results = 'docs/results/voc12_animals/study'
# The published shape has 40; the first ten are the warm-up. Fifteen give the
# terms of KTSE as many steps as the modern recipe does.
epochs = 15
# ImageNet weights of MobileNetV2 with torchvision's names.
mobilenet = 'checkpoints/mobilenet_v2_imagenet.pth'

_here = 'configs/ktse/studies/voc12_animals'
_data = dict(data_root='{data_root}')
_seed = {**_data, 'randomness.seed': '{seed}'}
# Thresholds are chosen on a tenth of the train list, and all else is measured
# on, and the segmentation networks are trained with, the other images.
_rest = {**_data, 'test_dataloader.dataset.id_file': f'{_here}/rest.txt'}


def _labels(name, refiner):
    return dict(
        name=name,
        type='pseudo_labels',
        config='{config}',
        from_seeds='{seeds.work_dir}',
        args=['--threshold', '{choice.work_dir}/threshold.json'],
        cfg_options={
            **_rest, 'pseudo_labels.refiner.type': refiner
        })


_seeds = [
    dict(
        name='seeds',
        type='pseudo_labels',
        config='{config}',
        checkpoint='{train.checkpoint}',
        # Labels of no use: the threshold is not chosen yet.
        args=['--no-eval'],
        cfg_options={
            **_data, 'pseudo_labels.refiner': None
        }),
    dict(
        name='choice',
        type='command',
        needs=['seeds'],
        argv=[
            '{python}', '{tools}/analysis_tools/sweep_threshold.py',
            '{config}', '{seeds.work_dir}', '--split', f'{_here}/held_out.txt',
            '--out', '{choice.work_dir}/threshold.json', '--cfg-options',
            'data_root={data_root}'
        ],
        outputs=['{choice.work_dir}/threshold.json']),
    _labels('par', 'PARRefiner'),
    _labels('crf', 'LabelCRFRefiner'),
]
_train = dict(
    name='train',
    type='train',
    config='{config}',
    cfg_options={
        **_seed, 'train_cfg.max_epochs': '{epochs}'
    })
_seg = 'configs/deeplabv2/deeplabv2_efficientnet-lite0_custom-224x224'


def _segment(config, **options):
    return [
        dict(
            name='seg',
            type='train',
            config=config,
            cfg_options={
                **_seed,
                **options, 'param_scheduler.0.end': 4,
                'train_cfg.max_epochs': 4,
                'train_cfg.val_interval': 4
            }),
        dict(
            name='seg_val',
            type='test',
            config=config,
            checkpoint='{seg.checkpoint}',
            cfg_options={
                **_data,
                **options
            })
    ]


_branch = dict(_train, start_from='{after}/train/epoch_10.pth')
_weights = dict(
    _train, cfg_options={
        **_seed, 'load_from': '{after}/train/epoch_10.pth'
    })
_on_labels = _segment(f'{_seg}.py', pseudo_label_dir='{crf.work_dir}')
stages = dict(
    warmup=[dict(_train, cfg_options={
        **_seed, 'train_cfg.max_epochs': 10
    })],
    plain=[_train, *_seeds, *_on_labels],
    seeds=[_branch, *_seeds],
    networks=[_branch, *_seeds, *_on_labels],
    modern_seeds=[_weights, *_seeds],
    modern=[_weights, *_seeds, *_on_labels],
    truth=_segment(f'{_seg}-gt.py'))


def _row(name, title, seeds, stages='seeds', after='warmup', **kwargs):
    return dict(
        name=name,
        title=title,
        config=f'{_here}/{name}.py',
        seeds=seeds,
        stages=stages,
        after=after,
        **kwargs)


_mobilenet = dict(
    after='warmup_mobilenetv2',
    cfg_options={'model.backbone.init_cfg.checkpoint': '{mobilenet}'})
rows = [
    # The epochs that all rows with GPP have in common.
    dict(
        name='warmup',
        title='warm-up of GPP',
        config=f'{_here}/gpp.py',
        seeds=[0, 1],
        stages='warmup'),
    _row('gap', 'GAP', [0], 'plain', None),
    _row('gpp', 'GPP', [0, 1], 'networks'),
    _row('sie', 'GPP + SIE', [0]),
    _row('ssr', 'GPP + SSR', [0]),
    _row('mga', 'GPP + MGA', [0]),
    _row('sie_ssr', 'GPP + SIE + SSR', [0, 1]),
    _row('ktse', 'KTSE (GPP + SIE + SSR + MGA)', [0, 1], 'networks'),
    _row('gpp_modern', 'GPP, modern', [0, 1], 'modern'),
    _row('sie_modern', 'GPP + SIE, modern', [0], 'modern_seeds'),
    _row('ssr_modern', 'GPP + SSR, modern', [0], 'modern_seeds'),
    _row('sie_ssr_modern', 'GPP + SIE + SSR, modern', [0, 1], 'modern_seeds'),
    _row('ktse_modern', 'KTSE, modern', [0, 1], 'modern'),
    dict(
        _mobilenet,
        name='warmup_mobilenetv2',
        title='warm-up of GPP, MobileNetV2',
        config=f'{_here}/gpp_mobilenetv2.py',
        seeds=[0],
        stages='warmup',
        after=None),
    _row('gpp_mobilenetv2_modern', 'GPP, modern, MobileNetV2', [0],
         'modern_seeds', **_mobilenet),
    _row('ktse_mobilenetv2_modern', 'KTSE, modern, MobileNetV2', [0],
         'modern_seeds', **_mobilenet),
    dict(
        name='truth',
        title='real masks (upper bound)',
        config=f'{_seg}-gt.py',
        seeds=[0],
        stages='truth'),
]
_quality = [
    dict(
        title='seed, oracle (threshold)',
        value='par/metrics/oracle/mIoU',
        at='par/metrics/oracle/threshold'),
    dict(
        title='seed, held out (threshold)',
        value='par/metrics/fixed/mIoU',
        at='par/metrics/fixed/threshold'),
    dict(title='precision', value='par/metrics/fixed/precision'),
    dict(title='recall', value='par/metrics/fixed/recall'),
    dict(title='+ PAR', value='par/metrics/labels/mIoU'),
    dict(title='+ CRF', value='crf/metrics/labels/mIoU'),
    dict(title='DeepLabV2, val', value='seg_val/metrics/metrics/mIoU'),
    dict(title='minutes after warm-up', value='train/seconds', factor=1 / 60),
    dict(title='memory (MiB)', value='train/memory', format='.0f'),
]
_classes = ['background', 'cat', 'cow', 'dog', 'horse', 'person', 'sheep']
tables = {
    'Seeds, labels, segmentation network':
    _quality,
    'IoU of the seeds per class, threshold of the held-out tenth': [
        dict(title=name, value=f'par/metrics/fixed/IoU/{i}')
        for i, name in enumerate(_classes)
    ],
}
