# Copyright (c) mmktse authors. All rights reserved.
# ResNet-50 at stride 16 with ImageNet weights, frozen.
model = dict(
    type='mmktse.IRN',
    data_preprocessor=dict(
        type='mmseg.SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255),
    backbone=dict(
        type='mmpretrain.ResNet',
        depth=50,
        strides=(1, 2, 2, 1),
        out_indices=(0, 1, 2, 3),
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50')),
    loss=dict(type='mmktse.AffinityLoss', radius=10))
