# Copyright (c) mmktse authors. All rights reserved.
# Labels with an ignore band of COCO 2014 train; see configs/irn.
data_root = 'data/coco/'
pseudo_label_dir = 'work_dirs/ir_labels/coco14'
crop_size = (512, 512)
train_pipeline = [
    dict(type='mmktse.LoadImage'),
    dict(type='LoadAnnotations'),
    # 0.5 to 1.5 times the size of the image: the long side of COCO is 640.
    dict(
        type='RandomResize',
        scale=(640, 640),
        ratio_range=(0.5, 1.5),
        keep_ratio=True,
        interpolation='bicubic'),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs')
]
train_dataloader = dict(
    batch_size=32,
    num_workers=8,
    persistent_workers=False,
    drop_last=True,
    worker_init_fn=dict(type='mmktse.seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='mmktse.PseudoLabelSegDataset',
        data_root=data_root,
        pseudo_label_dir=pseudo_label_dir,
        data_prefix=dict(img_path='train2014'),
        pipeline=train_pipeline))
