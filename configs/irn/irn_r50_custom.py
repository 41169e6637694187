# Copyright (c) mmktse authors. All rights reserved.
_base_ = [
    '../_base_/models/irn_r50.py', '../_base_/datasets/custom_irn.py',
    '../_base_/schedules/irn_3e.py', '../_base_/seg_runtime.py'
]
# Smaller images are padded to the crop, in training and afterwards.
model = dict(
    data_preprocessor=dict(
        size=_base_.crop_size, test_cfg=dict(size=_base_.crop_size)))
log_processor = dict(window_size=20, by_epoch=True)
