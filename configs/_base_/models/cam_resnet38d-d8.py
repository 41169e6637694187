# ResNet38d at stride 8, as in the PSA, SEAM and KTSE line of work. The weights
# are made from the ImageNet file by tools/model_converters/convert_weights.py.
model = dict(
    type='CAMClassifier',
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        to_rgb=True),
    backbone=dict(
        type='ResNet38d',
        init_cfg=dict(
            type='Pretrained',
            checkpoint='checkpoints/resnet38d_imagenet.pth')),
    head=dict(type='CAMHead', num_classes=20, in_channels=4096))
