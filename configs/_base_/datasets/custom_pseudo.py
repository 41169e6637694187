# Copyright (c) mmktse authors. All rights reserved.
# Any N classes: images in JPEGImages, pseudo labels of the train list, and
# SegmentationClass masks of the ids in ImageSets/val.txt to validate on.
# The classes come from the folder's classes.txt.
data_root = 'data/custom/'
pseudo_label_dir = 'work_dirs/pseudo_labels/custom'
metainfo = dict(classes='classes.txt')
crop_size = (224, 224)
# Photographs of a camera are segmented at this size; masks have the full one.
max_long = 512
train_pipeline = [
    dict(type='mmktse.LoadImage'),
    dict(type='mmktse.LoadMask'),
    dict(
        type='RandomResize',
        scale=(320, 320),
        ratio_range=(0.7, 1.5),
        keep_ratio=True),
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.85),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackSegInputs')
]
test_pipeline = [
    dict(type='mmktse.LoadImage'),
    dict(type='mmktse.LimitLong', max_long=max_long),
    dict(type='mmktse.LoadMask'),
    dict(type='PackSegInputs')
]
img_ratios = [0.75, 1.0, 1.25]
tta_pipeline = [
    dict(type='mmktse.LoadImage'),
    dict(type='mmktse.LimitLong', max_long=max_long),
    dict(
        type='TestTimeAug',
        transforms=[[
            dict(type='Resize', scale_factor=r, keep_ratio=True)
            for r in img_ratios
        ],
                    [
                        dict(type='RandomFlip', prob=0.),
                        dict(
                            type='RandomFlip', prob=1., direction='horizontal')
                    ], [dict(type='mmktse.LoadMask')],
                    [dict(type='PackSegInputs')]])
]
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=False,
    drop_last=True,
    worker_init_fn=dict(type='mmktse.seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='mmktse.PseudoLabelSegDataset',
        data_root=data_root,
        pseudo_label_dir=pseudo_label_dir,
        data_prefix=dict(img_path='JPEGImages'),
        metainfo=metainfo,
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='mmktse.SegListDataset',
        data_root=data_root,
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClass'),
        ann_file='ImageSets/val.txt',
        metainfo=metainfo,
        pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
