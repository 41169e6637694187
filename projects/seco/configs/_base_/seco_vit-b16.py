# The published network with its settings for VOC, and how it is tested.
_base_ = '../../../../configs/_base_/seg_runtime.py'

custom_imports = dict(imports=[
    'mmktse.models', 'mmktse.datasets', 'mmktse.evaluation',
    'projects.seco.seco'
])
model = dict(
    type='mmktse.SeCo',
    # ImageNet's mean and deviation, as published, although these weights were
    # trained with 127.5 for both.
    data_preprocessor=dict(
        type='mmktse.ViewsDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True),
    # Of ImageNet-21k, then ImageNet-1k at 224 pixels; the README says where
    # they come from.
    backbone=dict(
        type='mmktse.SeCoViT',
        arch='base',
        init_cfg=dict(
            type='Pretrained', checkpoint='checkpoints/vit_base_p16_224.pth')),
    # Takes the last map; background is the first class.
    decode_head=dict(
        type='mmktse.DeepLabV2Head',
        in_channels=768,
        in_index=1,
        num_classes=21,
        align_corners=False),
    cam_head=dict(type='mmktse.GMPHead', in_channels=768, in_index=1),
    aux_head=dict(type='mmktse.GMPHead', in_channels=768, in_index=0),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
crf = dict(gaussian_compat=1, bilateral_sxy=121, bilateral_srgb=5)
tta_model = dict(type='mmktse.FlipMaxSegTTAModel')
