# PASCAL VOC 2012 trainaug as SEAM trains on it: larger crops, colour jitter,
# batches of 8 throughout.
_base_ = '../../../../configs/_base_/datasets/voc12aug_cam-320x320.py'

# With the part of a crop that is no padding.
meta_keys = (*_base_.meta_keys, 'img_box')
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='RandomResizeLong', long_range=(448, 768)),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(
        type='mmpretrain.ColorJitter',
        brightness=0.3,
        contrast=0.3,
        saturation=0.3,
        hue=0.1),
    dict(type='RandomCropOrPad', crop_size=448, pad_val=_base_.pad_val),
    dict(type='mmpretrain.PackInputs', meta_keys=meta_keys),
]
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))
# The warm-up is a matter of the losses, not of the data.
warmup_dataloader = None
test_evaluator = dict(fixed_threshold=0.26)
pseudo_labels = dict(threshold=0.26)
