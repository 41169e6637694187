# Copyright (c) mmktse authors. All rights reserved.
# Small enough for a CPU; the ImageNet weights come with a package (extra
# "quickstart").
model = dict(
    type='mmktse.IRN',
    data_preprocessor=dict(
        type='mmseg.SegDataPreProcessor',
        mean=[127., 127., 127.],
        std=[128., 128., 128.],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255),
    backbone=dict(
        type='mmktse.TIMMBackbone',
        model_name='tf_efficientnet_lite0',
        features_only=True,
        out_indices=(0, 1, 2, 3, 4),
        output_stride=16,
        init_cfg=dict(type='mmktse.EfficientNetLite0Pretrained')),
    in_channels=(16, 24, 40, 112, 320),
    strides=(2, 4, 8, 16, 16),
    stem=None,
    loss=dict(type='mmktse.AffinityLoss', radius=10))
