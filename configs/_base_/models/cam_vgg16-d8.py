# VGG-16 with a large field of view at stride 8.
model = dict(
    type='CAMClassifier',
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        to_rgb=True),
    backbone=dict(
        type='VGG16LargeFOV',
        init_cfg=dict(
            type='mmktse.TorchvisionVGG16Pretrained',
            checkpoint='torchvision://vgg16')),
    head=dict(type='CAMHead', num_classes=20, in_channels=1024))
