# Copyright (c) mmktse authors. All rights reserved.
# VGG-16 with a large field of view, for the rows with VGG in the papers.
_base_ = [
    '../_base_/models/deeplab-largefov_vgg16-d8.py',
    '../_base_/datasets/voc12_pseudo-321x321.py',
    '../_base_/schedules/seg_20k.py', '../_base_/seg_runtime.py'
]
model = dict(data_preprocessor=dict(size=_base_.crop_size))
# DeepLab's rates for VGG-16, but poly instead of its steps.
optim_wrapper = dict(
    optimizer=dict(lr=1e-3, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys=dict(decode_head=dict(lr_mult=10.))))
