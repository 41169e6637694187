# What erased-pass supervision and its noise suppression give on six animal
# classes of VOC 2012.
#
#   python tools/analysis_tools/run_study.py \
#       projects/ecsnet/configs/ecsnet_study.py --cfg-options data_root=DIR
_base_ = '../../../configs/ktse/studies/voc12_animals/study.py'

results = 'projects/ecsnet/results'
epochs = 8

_names = dict(
    cam=('plain CAM', 'configs/cam/cam_{}_custom.py'),
    no_suppression=(
        'erased pass',
        'projects/ecsnet/configs/ecsnet_{}_custom_no-suppression.py'),
    suppression=('erased pass + noise suppression',
                 'projects/ecsnet/configs/ecsnet_{}_custom.py'))
rows = [
    dict(
        name=_name,
        title=_title,
        config=_config.format('efficientnet-lite0'),
        seeds=[0, 1],
        stages='plain') for _name, (_title, _config) in _names.items()
] + [
    dict(
        name=f'{_name}_mobilenetv2',
        title=f'{_title}, MobileNetV2',
        config=_config.format('mobilenetv2'),
        cfg_options={'model.backbone.init_cfg.checkpoint': '{mobilenet}'},
        seeds=[0],
        stages='plain') for _name, (_title, _config) in _names.items()
]
