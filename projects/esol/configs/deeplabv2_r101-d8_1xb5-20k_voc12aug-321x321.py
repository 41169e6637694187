# The recipe of ESOL's family (LPCAM): crop 321, batch 5, 20k steps.
_base_ = [
    '../../../configs/_base_/models/deeplabv2_r101-d8.py',
    '../../../configs/_base_/datasets/voc12_pseudo-321x321.py',
    '../../../configs/_base_/schedules/seg_20k.py',
    '../../../configs/_base_/seg_runtime.py'
]
# Five images of this size are poor statistics: those of ImageNet stay.
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    backbone=dict(norm_cfg=dict(requires_grad=False), norm_eval=True))
train_dataloader = dict(batch_size=5)
optim_wrapper = dict(
    optimizer=dict(lr=2.5e-4, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys=dict(decode_head=dict(lr_mult=10.))))
param_scheduler = [
    dict(
        type='PolyLR',
        eta_min=0,
        power=0.9,
        begin=0,
        end=20000,
        by_epoch=False)
]
