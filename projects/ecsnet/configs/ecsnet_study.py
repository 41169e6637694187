# What erased-pass supervision and its noise suppression give, and what the
# open settings change, on six animal classes of VOC 2012 with MobileNetV2.
#
#   PYTHONPATH=. python tools/analysis_tools/run_study.py \
#       projects/ecsnet/configs/ecsnet_study.py \
#       --cfg-options data_root=DIR mobilenet=FILE
#
# Settings are compared on the held-out tenth of the train list; the rows that
# stand for the method are measured, refined and trained with on the others.
_base_ = '../../../configs/ktse/studies/voc12_animals/study.py'

results = 'projects/ecsnet/results'

_held_out = 'configs/ktse/studies/voc12_animals/held_out.txt'
_data = dict(data_root='{data_root}')


def _measure(name, **options):
    return dict(
        name=name,
        type='pseudo_labels',
        config='{config}',
        checkpoint='{train.checkpoint}',
        cfg_options={
            **_data, 'test_dataloader.dataset.id_file': _held_out,
            'pseudo_labels.refiner': None,
            **options
        })


_train = dict(
    name='train',
    type='train',
    config='{config}',
    cfg_options={
        **_data, 'randomness.seed': '{seed}'
    })
_held = [_train, _measure('held')]
_branch = [*_held, _measure('held_seg', **{'model.test_cfg.seed': 'seg'})]
# Seeds, threshold, PAR and CRF, then the network.
_plain = _base_.stages['plain']
stages = dict(
    held=_held,
    held_network=_held + _plain[1:],
    branch_seeds=_branch + _plain[1:-2],
    branch_network=_branch + _plain[1:])

_net = 'projects/ecsnet/configs/ecsnet_mobilenetv2_custom{}.py'


def _row(name, title, config=_net.format(''), stages='held', **options):
    return dict(
        name=name,
        title=title,
        config=config,
        stages=stages,
        seeds=[0],
        cfg_options={
            'model.backbone.init_cfg.checkpoint': '{mobilenet}',
            **options
        })


# Lists are replaced item by item: the hook that says what labels.
_first, _seg = 'custom_hooks.1.cam', 'custom_hooks.1.seg'
rows = [
    _row('cam', 'plain CAM', 'configs/cam/cam_mobilenetv2_custom.py',
         'held_network'),
    _row('no_suppression', 'erased pass', _net.format('_no-suppression'),
         'branch_seeds'),
    _row(
        'suppression',
        'erased pass + noise suppression',
        stages='branch_network'),
    # Each differs from `suppression` in one setting.
    _row('cam_only', 'labels of the CAM throughout', **{_seg: None}),
    # From epoch 8 of 0 to 7.
    _row('no_pixel_labels', 'no pixel labels', **{
        _first: 8,
        _seg: None
    }),
    _row('erased_weight0', 'no classification of the erased image',
         **{'model.erased_weight': 0.}),
    _row('erased_weight025', 'a quarter of that classification',
         **{'model.erased_weight': .25}),
    _row('bg005', 'background below 0.05',
         **{'model.selector.bg_threshold': .05}),
    _row('erase03', 'erased above 0.3', **{'model.eraser.threshold': .3}),
    _row('erase08', 'erased above 0.8', **{'model.eraser.threshold': .8}),
]

_quality = 'Seeds, labels, segmentation network'
_what = [('held', 'CAM'), ('held_seg', 'segmentation branch')]
_thresholds = [('fixed', 'threshold of the config'),
               ('oracle', 'best threshold on these images')]
_figures = [('mIoU (threshold)', 'mIoU'), ('precision', 'precision'),
            ('recall', 'recall')]
tables = {
    # No row goes on from a warm-up that another has done.
    _quality: [
        dict(_column, title=_column['title'].replace(' after warm-up', ''))
        for _column in _base_.tables[_quality]
    ],
    **{
        f'Held-out tenth, {_seeds}, {_title}': [
            dict(
                title=_column,
                value=f'{_stage}/metrics/{_which}/{_figure}',
                **(dict(at=f'{_stage}/metrics/{_which}/threshold')
                   if _figure == 'mIoU' else {}))
            for _column, _figure in _figures
        ]
        for _stage, _seeds in _what for _which, _title in _thresholds
    }
}
