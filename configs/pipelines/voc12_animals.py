# Six animal classes of VOC 2012 (1,134 images of trainaug, 250 of val): plain
# CAM, GPP and KTSE at equal numbers of steps, labels, segmentation network.
#
#   python tools/run_pipeline.py configs/pipelines/voc12_animals.py \
#       --cfg-options data_root=DIR mobilenet=FILE
data_root = 'data/voc12_animals'
# ImageNet weights of MobileNetV2 with torchvision's names.
mobilenet = 'checkpoints/mobilenet_v2_imagenet.pth'

_data = dict(data_root='{data_root}')
_seg = 'configs/deeplabv2/deeplabv2_efficientnet-lite0_custom-224x224'
stages = []
for _name, _config, _weights in (
    ('gap', 'cam/cam_efficientnet-lite0', {}),
    ('gpp', 'ktse/gpp_efficientnet-lite0', {}),
    ('ktse', 'ktse/ktse_efficientnet-lite0', {}),
    ('gpp_mobilenetv2', 'ktse/gpp_mobilenetv2',
     {'model.backbone.init_cfg.checkpoint': '{mobilenet}'}),
    ('ktse_mobilenetv2', 'ktse/ktse_mobilenetv2',
     {'model.backbone.init_cfg.checkpoint': '{mobilenet}'})):
    _config = f'configs/{_config}_custom.py'
    stages += [
        dict(
            name=_name,
            type='train',
            config=_config,
            cfg_options={
                **_data,
                **_weights
            }),
        # Seeds, and labels refined with PAR.
        dict(
            name=f'{_name}_par',
            type='pseudo_labels',
            config=_config,
            checkpoint=f'{{{_name}.checkpoint}}',
            args=['--threshold', 'oracle'],
            cfg_options=_data),
        # The same seeds with a dense CRF on their labels.
        dict(
            name=f'{_name}_crf',
            type='pseudo_labels',
            config=_config,
            from_seeds=f'{{{_name}_par.work_dir}}',
            args=['--threshold', 'oracle'],
            show=['pseudo labels'],
            cfg_options=dict(
                _data, pseudo_labels=dict(refiner=dict(
                    type='LabelCRFRefiner')))),
    ]
    if 'mobilenet' not in _name:
        stages += [
            dict(
                name=f'{_name}_deeplabv2',
                type='train',
                config=f'{_seg}.py',
                cfg_options=dict(
                    _data, pseudo_label_dir=f'{{{_name}_par.work_dir}}')),
            dict(
                name=f'{_name}_deeplabv2_val',
                type='test',
                config=f'{_seg}.py',
                checkpoint=f'{{{_name}_deeplabv2.checkpoint}}',
                cfg_options=dict(
                    _data, pseudo_label_dir=f'{{{_name}_par.work_dir}}')),
        ]
stages += [
    dict(
        name='truth_deeplabv2',
        type='train',
        config=f'{_seg}-gt.py',
        cfg_options=_data),
    dict(
        name='truth_deeplabv2_val',
        type='test',
        config=f'{_seg}-gt.py',
        checkpoint='{truth_deeplabv2.checkpoint}',
        cfg_options=_data),
]
