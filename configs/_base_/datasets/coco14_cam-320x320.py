# MS COCO 2014 train with the classes of its objects as image-level labels; the
# transforms of VOC, as there is no published recipe.
data_root = 'data/coco'
# BGR, so that padding is exactly zero after normalisation.
pad_val = (103.53, 116.28, 123.675)
meta_keys = ('img_id', 'img_path', 'seg_map_path', 'ori_shape', 'img_shape',
             'flip')
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='RandomResizeLong', long_range=(256, 512)),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='RandomCropOrPad', crop_size=320, pad_val=pad_val),
    dict(type='mmpretrain.PackInputs', meta_keys=meta_keys),
]
test_pipeline = [
    dict(type='LoadImage'),
    dict(type='MultiScaleViews', scales=(0.5, 1.0, 1.5, 2.0)),
    dict(type='mmpretrain.PackInputs', meta_keys=meta_keys),
]
train_dataset = dict(
    type='COCOImageLevelDataset', data_root=data_root, pipeline=train_pipeline)
# Warm-up: single images in small batches.
warmup_dataloader = dict(
    batch_size=8,
    num_workers=4,
    persistent_workers=False,
    drop_last=True,
    worker_init_fn=dict(type='mmktse.seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=train_dataset)
train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=False,
    drop_last=True,
    worker_init_fn=dict(type='mmktse.seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=train_dataset)
# Measured against masks/train2014; see docs/data.md.
test_dataloader = dict(
    batch_size=1,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type='COCOImageLevelDataset',
        data_root=data_root,
        pipeline=test_pipeline,
        test_mode=True))
test_evaluator = dict(type='SeedMetric', fixed_threshold=0.2)
pseudo_labels = dict(threshold=0.2, refiner=dict(type='PARRefiner'))
