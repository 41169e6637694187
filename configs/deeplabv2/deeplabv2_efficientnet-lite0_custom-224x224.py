# Copyright (c) mmktse authors. All rights reserved.
# About 12 epochs of 1,000 images on a CPU; for any N classes.
_base_ = [
    '../_base_/models/deeplabv2_efficientnet-lite0.py',
    '../_base_/datasets/custom_pseudo.py', '../_base_/schedules/seg_12e.py',
    '../_base_/seg_runtime.py'
]
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    decode_head=dict(num_classes=None))
crf = dict(max_long=_base_.max_long)
log_processor = dict(window_size=20, by_epoch=True)
