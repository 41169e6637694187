# The recipe of ESOL's family (LPCAM): crop 321, batch 10, 100k steps.
_base_ = [
    '../../../configs/_base_/models/deeplabv2_r101-d8.py',
    '../../../configs/_base_/datasets/coco14_pseudo.py',
    '../../../configs/_base_/schedules/seg_20k.py',
    '../../../configs/_base_/seg_runtime.py'
]
crop_size = (321, 321)
train_pipeline = [
    dict(type='mmktse.LoadImage'),
    dict(type='LoadAnnotations'),
    # 0.5 to 1.5 times the size of the image: the long side of COCO is 640.
    dict(
        type='RandomResize',
        scale=(640, 640),
        ratio_range=(0.5, 1.5),
        keep_ratio=True),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs')
]
model = dict(
    data_preprocessor=dict(size=crop_size),
    backbone=dict(norm_cfg=dict(requires_grad=False), norm_eval=True),
    decode_head=dict(num_classes=81))
train_dataloader = dict(batch_size=10, dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(
    optimizer=dict(lr=2e-4, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys=dict(decode_head=dict(lr_mult=10.))))
param_scheduler = [
    dict(
        type='PolyLR',
        eta_min=0,
        power=0.9,
        begin=0,
        end=100000,
        by_epoch=False)
]
train_cfg = dict(max_iters=100000, val_interval=20000)
