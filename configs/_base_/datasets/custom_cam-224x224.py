# A folder of images with tags: JPEGImages/, classes.txt and the labels in
# ImageSets/train_labels.txt ("id class class ..."). Masks in
# SegmentationClass/ are used for measuring alone and may be absent.
data_root = 'data/custom'
# Photographs of a camera are labelled as if their long side had 512 pixels;
# seeds and labels have their full size.
max_long = 512
pad_val = (127., 127., 127.)
meta_keys = ('img_id', 'img_path', 'seg_map_path', 'ori_shape', 'img_shape',
             'flip')
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='RandomResizeLong', long_range=(192, 384)),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='RandomCropOrPad', crop_size=224, pad_val=pad_val),
    dict(type='mmpretrain.PackInputs', meta_keys=meta_keys),
]
test_pipeline = [
    dict(type='LoadImage'),
    dict(type='MultiScaleViews', scales=(0.5, 1.0, 1.5), max_long=max_long),
    dict(type='mmpretrain.PackInputs', meta_keys=meta_keys),
]
train_dataset = dict(
    type='ImageLevelDataset',
    data_root=data_root,
    ann_file='ImageSets/train_labels.txt',
    metainfo=dict(classes='classes.txt'),
    pipeline=train_pipeline)
warmup_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=False,
    drop_last=True,
    worker_init_fn=dict(type='mmktse.seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=train_dataset)
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=False,
    drop_last=True,
    worker_init_fn=dict(type='mmktse.seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=train_dataset)
test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type='ImageLevelDataset',
        data_root=data_root,
        ann_file='ImageSets/train_labels.txt',
        metainfo=dict(classes='classes.txt'),
        pipeline=test_pipeline,
        test_mode=True))
test_evaluator = dict(type='SeedMetric', fixed_threshold=0.3)
pseudo_labels = dict(
    threshold=0.3, refiner=dict(type='PARRefiner', max_long=max_long))
