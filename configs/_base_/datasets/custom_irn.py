# Copyright (c) mmktse authors. All rights reserved.
# Any N classes: images in JPEGImages and labels with an ignore band; the
# classes come from the label folder.
data_root = 'data/custom/'
pseudo_label_dir = 'work_dirs/ir_labels/custom'
crop_size = (224, 224)
train_pipeline = [
    dict(type='mmktse.LoadImage'),
    dict(type='mmktse.LoadMask'),
    dict(
        type='RandomResize',
        scale=(320, 320),
        ratio_range=(0.5, 1.5),
        keep_ratio=True,
        interpolation='bicubic'),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs')
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
        pipeline=train_pipeline))
