# What erased-pass supervision and its noise suppression give, and what the
# open settings change, on six animal classes of VOC 2012 with MobileNetV2.
#
#   PYTHONPATH=. python tools/analysis_tools/run_study.py \
#       projects/ecsnet/configs/ecsnet_study.py \
#       --cfg-options data_root=DIR mobilenet=FILE
#
# Compared on the held-out tenth of the train list; ecsnet_pipeline_custom.py
# measures all of it, refines and trains the last network.
_base_ = '../../../configs/ktse/studies/voc12_animals/held_out.py'

results = 'projects/ecsnet/results'

stages = _base_.stages
_train, _held = stages['held']
stages['branch'] = [
    _train, _held,
    dict(
        _held,
        name='held_seg',
        cfg_options={
            **_held['cfg_options'], 'model.test_cfg.seed': 'seg'
        })
]

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
    _row('erase08', 'erased above 0.8', **{'model.eraser.threshold': .8}),
    _row('erase1', 'nothing erased', **{'model.eraser.threshold': 1.}),
    _row('seg_from_cam', 'segmentation read off the CAM',
         _net.format('_seg-from-cam'), 'held'),
]
for _main in rows[:3]:
    _main['seeds'] = [0, 1]

# Of the segmentation branch, too.
tables = {
    **_base_.tables,
    **{
        f'{_heading}, segmentation branch': [{
            _key:
            _text.replace('held/', 'held_seg/')
            for _key, _text in _column.items()
        } for _column in _columns]
        for _heading, _columns in _base_.tables.items()
    }
}
