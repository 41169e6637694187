# MobileNetV2 with TensorFlow's SAME padding; the weights are a file with
# torchvision's names.
model = dict(
    type='CAMClassifier',
    data_preprocessor=dict(
        mean=[128., 128., 128.], std=[128., 128., 128.], to_rgb=True),
    backbone=dict(
        type='mmseg.MobileNetV2',
        strides=(1, 2, 2, 2, 1, 1, 1),
        # mmseg dilates the first block of a layer alone; with 2 in the sixth
        # layer as well the features lose more than they gain.
        dilations=(1, 1, 1, 1, 1, 1, 2),
        out_indices=(6, ),
        conv_cfg=dict(type='Conv2dAdaptivePadding'),
        init_cfg=dict(
            type='mmktse.TorchvisionMobileNetV2Pretrained',
            checkpoint='checkpoints/mobilenet_v2_imagenet.pth')),
    # Up to stride 4, the dearest part of a step on a CPU.
    frozen=('conv1', 'layer1', 'layer2'),
    head=dict(type='CAMHead', num_classes=None, in_channels=320))
