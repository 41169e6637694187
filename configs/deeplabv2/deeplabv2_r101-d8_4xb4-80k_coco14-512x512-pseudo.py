# Copyright (c) mmktse authors. All rights reserved.
_base_ = [
    '../_base_/models/deeplabv2_r101-d8.py',
    '../_base_/datasets/coco14_pseudo.py', '../_base_/schedules/seg_80k.py',
    '../_base_/seg_runtime.py'
]
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    decode_head=dict(num_classes=81))
