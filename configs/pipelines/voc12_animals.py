# Six animal classes of VOC 2012 (1,134 images of trainaug, 250 of val): plain
# CAM, GPP and KTSE at equal numbers of steps, labels, segmentation network.
#
#   python tools/run_pipeline.py configs/pipelines/voc12_animals.py \
#       --cfg-options data_root=DIR mobilenet=FILE
data_root = 'data/voc12_animals'
# ImageNet weights of MobileNetV2 with torchvision's names.
mobilenet = 'checkpoints/mobilenet_v2_imagenet.pth'

_data = dict(data_root='{data_root}')
# Half of the epochs, to show the swap of the backbone.
_mobilenet = {
    'model.backbone.init_cfg.checkpoint': '{mobilenet}',
    'train_cfg.warmup_epochs': 1,
    'train_cfg.max_epochs': 4,
    'param_scheduler.0.milestones': [1],
    'param_scheduler.1.end': 5
}
# As published; the defaults of the custom config came later.
_published = {
    'model.head.positive_background': False,
    'model.labeler.thresholds': [0.3, 0.15],
    'model.ssr.fg_weight': 0.0125,
    'model.mga.global_weight': 1.0
}
_epochs = 3
_schedule = {
    'param_scheduler.0.end': _epochs,
    'train_cfg.max_epochs': _epochs,
    'train_cfg.val_interval': _epochs
}
_seg = 'configs/deeplabv2/deeplabv2_efficientnet-lite0_custom-224x224'
_cam_networks = [('gap', 'cam/cam_efficientnet-lite0', {}),
                 ('gpp', 'ktse/gpp_efficientnet-lite0', {}),
                 ('ktse', 'ktse/ktse_efficientnet-lite0', _published),
                 ('gpp_mobilenetv2', 'ktse/gpp_mobilenetv2', _mobilenet),
                 ('ktse_mobilenetv2', 'ktse/ktse_mobilenetv2', _mobilenet)]
_labels = [('gap', f'{_seg}.py', dict(pseudo_label_dir='{gap_par.work_dir}')),
           ('gpp', f'{_seg}.py', dict(pseudo_label_dir='{gpp_par.work_dir}')),
           ('ktse', f'{_seg}.py',
            dict(pseudo_label_dir='{ktse_par.work_dir}')),
           ('truth', f'{_seg}-gt.py', {})]
stages = []
for _name, _config, _options in _cam_networks:
    _config = f'configs/{_config}_custom.py'
    stages += [
        dict(
            name=_name,
            type='train',
            config=_config,
            cfg_options={
                **_data,
                **_options
            }),
        # Seeds, and labels refined with PAR.
        dict(
            name=f'{_name}_par',
            type='pseudo_labels',
            config=_config,
            checkpoint=f'{{{_name}.checkpoint}}',
            args=['--threshold', 'oracle'],
            cfg_options=_data),
        # The same seeds, their labels refined with a dense CRF.
        dict(
            name=f'{_name}_crf',
            type='pseudo_labels',
            config=_config,
            from_seeds=f'{{{_name}_par.work_dir}}',
            args=['--threshold', 'oracle'],
            show=['pseudo labels'],
            cfg_options={
                **_data, 'pseudo_labels.refiner.type': 'LabelCRFRefiner'
            }),
    ]
for _name, _config, _options in _labels:
    stages += [
        dict(
            name=f'{_name}_deeplabv2',
            type='train',
            config=_config,
            cfg_options={
                **_data,
                **_options,
                **_schedule
            }),
        dict(
            name=f'{_name}_deeplabv2_val',
            title=f'DeepLabV2 on {_name}',
            type='test',
            config=_config,
            checkpoint=f'{{{_name}_deeplabv2.checkpoint}}',
            cfg_options={
                **_data,
                **_options
            }),
    ]
# Two processes make the seeds of small networks faster than two threads.
for _stage in stages:
    if _stage['name'].endswith('mobilenetv2_par'):
        _stage['gpus'] = 2
# The small ones last.
stages.sort(key=lambda stage: 'mobilenetv2' in stage['name'])
