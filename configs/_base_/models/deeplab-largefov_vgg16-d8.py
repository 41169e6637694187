# Copyright (c) mmktse authors. All rights reserved.
# The dropout of fc6 and fc7 is in the backbone; the head is the classifier.
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255),
    backbone=dict(
        type='mmktse.VGG16LargeFOV',
        frozen_stages=0,
        init_cfg=dict(
            type='mmktse.TorchvisionVGG16Pretrained',
            checkpoint='torchvision://vgg16')),
    decode_head=dict(
        type='FCNHead',
        in_channels=1024,
        channels=1024,
        in_index=0,
        num_convs=0,
        concat_input=False,
        dropout_ratio=0,
        num_classes=21,
        align_corners=False,
        loss_decode=dict(
            type='CrossEntropyLoss', use_sigmoid=False, avg_non_ignore=True)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
