# MobileNetV2 with TensorFlow's SAME padding; the weights are a file with
# torchvision's names, see tools/model_converters/torchvision_mobilenetv2.py.
model = dict(
    data_preprocessor=dict(mean=[128., 128., 128.], std=[128., 128., 128.]),
    backbone=dict(
        _delete_=True,
        type='mmseg.MobileNetV2',
        widen_factor=1.0,
        strides=(1, 2, 2, 2, 1, 1, 1),
        dilations=(1, 1, 1, 1, 1, 2, 2),
        out_indices=(6, ),
        conv_cfg=dict(type='Conv2dAdaptivePadding'),
        init_cfg=dict(
            type='mmktse.TorchvisionMobileNetV2Pretrained',
            checkpoint='checkpoints/mobilenet_v2_imagenet.pth')),
    frozen=('conv1', 'layer1', 'layer2'),
    head=dict(in_channels=320))
