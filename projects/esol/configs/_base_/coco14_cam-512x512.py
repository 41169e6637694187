# Crops and scales of IRN.
_base_ = '../../../../configs/_base_/datasets/coco14_cam-320x320.py'

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='RandomResizeLong', long_range=(320, 640)),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='RandomCropOrPad', crop_size=512, pad_val=_base_.pad_val),
    dict(type='mmpretrain.PackInputs', meta_keys=_base_.meta_keys),
]
warmup_dataloader = None
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
test_evaluator = dict(fixed_threshold=0.15)
pseudo_labels = dict(threshold=0.15)
