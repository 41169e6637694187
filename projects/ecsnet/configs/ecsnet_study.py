# What erased-pass supervision and its noise suppression give, and what the
# open settings change, on six animal classes of VOC 2012 with MobileNetV2.
#
#   PYTHONPATH=. python tools/analysis_tools/run_study.py \
#       projects/ecsnet/configs/ecsnet_study.py \
#       --cfg-options data_root=DIR mobilenet=FILE
#
# Compared on the held-out tenth of the train list; ecsnet_pipeline_custom.py
# measures all of it, refines and trains the last network.
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
stages = dict(
    _delete_=True,
    held=_held,
    branch=[*_held,
            _measure('held_seg', **{'model.test_cfg.seed': 'seg'})])

_net = 'projects/ecsnet/configs/ecsnet_mobilenetv2_custom{}.py'


def _row(name, title, config=_net.format(''), stages='branch', **options):
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
_seg = 'custom_hooks.1.seg'
_with = {'model.erased_weight': 1.}
rows = [
    _row('cam', 'plain CAM', 'configs/cam/cam_mobilenetv2_custom.py', 'held'),
    _row('no_suppression', 'erased pass', _net.format('_no-suppression')),
    _row('suppression', 'erased pass + noise suppression'),
    # With the classification of the erased image, the default of the method.
    _row('no_suppression_erased1',
         'erased pass, its classification in the loss',
         _net.format('_no-suppression'), **_with),
    _row('suppression_erased1',
         'erased pass + noise suppression, its classification in the loss',
         **_with),
    # Each differs from `suppression` in one setting.
    _row('cam_only', 'labels of the CAM throughout', **{_seg: None}),
    _row('bg005', 'background below 0.05',
         **{'model.selector.bg_threshold': .05}),
    _row('erase03', 'erased above 0.3', **{'model.eraser.threshold': .3}),
    _row('erase1', 'nothing erased', **{'model.eraser.threshold': 1.}),
    _row('erase08', 'erased above 0.8', **{'model.eraser.threshold': .8}),
    _row('seg_from_cam', 'segmentation read off the CAM',
         _net.format('_seg-from-cam'), 'held'),
]
for _main in rows[:3]:
    _main['seeds'] = [0, 1]

_what = [('held', 'CAM'), ('held_seg', 'segmentation branch')]
_thresholds = [('fixed', 'threshold of the config'),
               ('oracle', 'best threshold on these images')]
_figures = [('mIoU (threshold)', 'mIoU'), ('precision', 'fg_precision'),
            ('recall', 'fg_recall')]
tables = {
    '_delete_': True,
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
