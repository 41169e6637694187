# The paper's chain on MS COCO 2014, 80 classes. No recipe was published for
# COCO: each stage takes that of VOC, see the README beside its config.
#
#   python tools/run_pipeline.py configs/pipelines/ktse_coco.py \
#       --cfg-options data_root=DIR gpus=2
data_root = 'data/coco'
cam = 'configs/ktse/ktse_resnet38d_coco.py'
irn = 'configs/irn/irn_r50_coco.py'
seg = 'configs/beco/beco_deeplabv2_r101-d8_4xb4-20e_coco14-512x512.py'
# Processes; batches keep VOC's published size.
gpus = 4

_data = dict(data_root='{data_root}')
_cam, _irn, _seg = '{cam}', '{irn}', '{seg}'
_seg_data = dict(_data, pseudo_label_dir='{irn_labels.work_dir}')
stages = [
    # Label maps to measure with; training never reads those of train2014.
    *[
        dict(
            name=f'masks_{split}',
            type='command',
            argv=[
                '{python}', '{tools}/dataset_converters/coco_to_labels.py',
                f'{{data_root}}/annotations/instances_{split}2014.json',
                f'{{data_root}}/{split}_labels.txt', '--ids-out',
                f'{{data_root}}/{split}_ids.txt', '--mask-dir',
                f'{{data_root}}/masks/{split}2014'
            ],
            outputs=[f'{{data_root}}/{split}_ids.txt'])
        for split in ('train', 'val')
    ],
    dict(
        name='ktse',
        type='train',
        config=_cam,
        gpus='{gpus}',
        total_batch=dict(warmup_dataloader=8, train_dataloader=16),
        cfg_options=_data),
    # The seeds as the IRN gets them.
    dict(
        name='seeds',
        title='KTSE',
        type='pseudo_labels',
        config=_cam,
        checkpoint='{ktse.checkpoint}',
        needs=['masks_train'],
        gpus='{gpus}',
        show=['seed'],
        cfg_options={
            **_data, 'model.test_cfg.merge': 'pairs',
            'pseudo_labels.refiner': None
        }),
    dict(
        name='ir_labels',
        type='pseudo_labels',
        config=_cam,
        from_seeds='{seeds.work_dir}',
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
        config=_irn,
        gpus='{gpus}',
        total_batch=dict(train_dataloader=32),
        cfg_options=dict(_data, pseudo_label_dir='{ir_labels.work_dir}')),
    dict(
        name='irn_labels',
        title='KTSE + IRN',
        type='pseudo_labels',
        config=_cam,
        from_seeds='{seeds.work_dir}',
        show=['pseudo labels'],
        cfg_options={
            **_data, 'pseudo_labels.threshold':
            0.25,
            'pseudo_labels.confidence_share':
            0.5,
            'pseudo_labels.refiner':
            dict(
                type='IRNRefiner', config=_irn, checkpoint='{irn.checkpoint}')
        }),
    dict(
        name='beco',
        title='BECO, DeepLabV2-R101',
        type='train',
        config=_seg,
        gpus='{gpus}',
        total_batch=dict(train_dataloader=16),
        needs=['masks_val'],
        cfg_options=_seg_data),
    dict(
        name='beco_val',
        title='BECO, DeepLabV2-R101',
        type='test',
        config=_seg,
        checkpoint='{beco.checkpoint}',
        gpus='{gpus}',
        args=['--tta'],
        cfg_options=_seg_data),
    dict(
        name='beco_val_crf',
        title='BECO, DeepLabV2-R101',
        type='test',
        config=_seg,
        checkpoint='{beco.checkpoint}',
        gpus='{gpus}',
        args=['--tta', '--crf'],
        cfg_options=_seg_data),
]
