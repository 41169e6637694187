# Copyright (c) mmktse authors. All rights reserved.
# The crops of DeepLab's first versions; colours are left alone.
_base_ = './voc12_pseudo.py'

crop_size = (321, 321)
train_pipeline = [
    dict(type='mmktse.LoadImage'),
    dict(type='LoadAnnotations'),
    # 0.5 to 1.5 times the size of the image: the long side of VOC is 500.
    dict(
        type='RandomResize',
        scale=(500, 500),
        ratio_range=(0.5, 1.5),
        keep_ratio=True),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs')
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
