# A folder of images with tags in, masks out: ECS-Net-style training, seeds,
# refinement with IRN, DeepLabV2. For any N classes, on a CPU.
#
#   python tools/run_pipeline.py \
#       projects/ecsnet/configs/ecsnet_pipeline_custom.py \
#       --cfg-options data_root=DIR
_base_ = '../../../configs/pipelines/ktse_custom.py'

cam = 'projects/ecsnet/configs/ecsnet_efficientnet-lite0_custom.py'
irn = 'configs/irn/irn_efficientnet-lite0_custom.py'
# Background score of the labels that IRN gives, as published.
irn_threshold = 0.25

_data = dict(data_root='{data_root}')
_irn = [
    # Confident foreground and background, between them ignored.
    dict(
        name='ir_labels',
        type='pseudo_labels',
        config='{cam}',
        from_seeds='{labels.work_dir}',
        args=['--no-eval'],
        cfg_options={
            **_data, 'pseudo_labels.threshold': 0.3,
            'pseudo_labels.ignore_threshold': 0.1,
            'pseudo_labels.refiner.type': 'LabelCRFRefiner'
        }),
    dict(
        name='irn',
        title='IRN',
        type='train',
        config='{irn}',
        gpus='{gpus}',
        total_batch=dict(train_dataloader=16),
        cfg_options=dict(_data, pseudo_label_dir='{ir_labels.work_dir}')),
    dict(
        name='irn_labels',
        title='ECS-Net-style + IRN',
        type='pseudo_labels',
        config='{cam}',
        from_seeds='{labels.work_dir}',
        show=['pseudo labels'],
        args=['--threshold', '{irn_threshold}'],
        cfg_options={
            **_data, 'pseudo_labels.refiner':
            dict(
                type='IRNRefiner',
                config='{irn}',
                checkpoint='{irn.checkpoint}')
        }),
]
stages = []
for _stage in _base_.stages:
    if _stage['name'] == 'ktse':
        _stage['name'] = 'ecsnet'
    elif _stage['name'] == 'labels':
        _stage['title'] = 'ECS-Net-style'
        _stage['checkpoint'] = '{ecsnet.checkpoint}'
    elif _stage['name'] in ('deeplabv2', 'deeplabv2_val'):
        _stage['cfg_options']['pseudo_label_dir'] = '{irn_labels.work_dir}'
    stages += [_stage, *(_irn if _stage['name'] == 'labels' else [])]
