# Copyright (c) mmktse authors. All rights reserved.
# The recipe of the DeepLabV2 paper, from weights trained on COCO's masks: not
# comparable with networks that saw no pixel label.
_base_ = [
    '../_base_/models/deeplabv2_r101-d8.py',
    '../_base_/datasets/voc12_pseudo-321x321.py',
    '../_base_/schedules/seg_20k.py', '../_base_/seg_runtime.py'
]
model = dict(
    # As Caffe has it: BGR in [0, 255] less the mean.
    data_preprocessor=dict(
        size=_base_.crop_size,
        mean=[104.008, 116.669, 122.675],
        std=[1., 1., 1.],
        bgr_to_rgb=False),
    backbone=dict(
        norm_cfg=dict(requires_grad=False),
        norm_eval=True,
        style='caffe',
        init_cfg=dict(checkpoint='checkpoints/deeplab_resnet101_coco.pth')))
train_dataloader = dict(batch_size=10)
optim_wrapper = dict(
    optimizer=dict(lr=2.5e-4, weight_decay=5e-4),
    paramwise_cfg=dict(
        custom_keys={
            'decode_head': dict(lr_mult=10.),
            **{
                f'decode_head.conv_seg.{i}.bias': dict(
                    lr_mult=20., decay_mult=0.)
                for i in range(4)
            }
        }))
param_scheduler = [
    dict(
        type='PolyLR',
        eta_min=0,
        power=0.9,
        begin=0,
        end=20000,
        by_epoch=False)
]
