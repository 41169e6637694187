# Copyright (c) mmktse authors. All rights reserved.
# Small enough for a CPU: stride 16, batch norms at their ImageNet statistics.
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[127., 127., 127.],
        std=[128., 128., 128.],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255),
    backbone=dict(
        type='mmktse.TIMMBackbone',
        model_name='tf_efficientnet_lite0',
        output_stride=16,
        norm_eval=True,
        init_cfg=dict(type='mmktse.EfficientNetLite0Pretrained')),
    decode_head=dict(
        type='mmktse.DeepLabV2Head',
        in_channels=1280,
        in_index=0,
        num_classes=21,
        align_corners=False,
        loss_decode=dict(
            type='CrossEntropyLoss', use_sigmoid=False, avg_non_ignore=True)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
