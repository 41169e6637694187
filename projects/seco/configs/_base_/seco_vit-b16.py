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
        align_corners=False,
        loss_decode=dict(type='mmktse.BalancedSegLoss', eps=1e-6)),
    cam_head=dict(type='mmktse.GMPHead', in_channels=768, in_index=1),
    aux_head=dict(type='mmktse.GMPHead', in_channels=768, in_index=0),
    projector=dict(type='mmktse.SeCoProjector'),
    ptc=dict(type='mmktse.PTCLoss'),
    lil=dict(type='mmktse.LILLoss'),
    lig=dict(type='mmktse.LIGLoss'),
    reg=dict(type='mmktse.DenseEnergyLoss'),
    # The first step, from 0, in which something takes part.
    schedule=dict(
        weights=dict(ptc=0.3, lig=0.5, lil=0.5, seg=0.12, reg=0.05),
        start=dict(
            ptc=0,
            lig=1001,
            lil=1001,
            seg=2001,
            reg=2001,
            prototypes=600,
            main_roi=10000,
            main_mask=0)),
    cam_scales=(1, 0.5, 0.75, 1.5),
    thresholds=(0.7, 0.25),
    decomposition=dict(num_crops=10, crop_size=64),
    # A multiple of the keys of a step, 12 of each image on all GPUs.
    queue=dict(size=4608),
    prototypes=dict(momentum=0.9),
    momentum=0.999,
    # False takes the variants without the slips of the published code, of
    # which the README has a list.
    faithful=True,
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
crf = dict(gaussian_compat=1, bilateral_sxy=121, bilateral_srgb=5)
tta_model = dict(type='mmktse.FlipMaxSegTTAModel')
