# Copyright (c) mmktse authors. All rights reserved.
# Two small networks trained together, for any N classes. The rates are those
# of the single network.
_base_ = '../deeplabv2/deeplabv2_efficientnet-lite0_custom-224x224.py'

model = dict(type='mmktse.BECO')
train_pipeline = [
    dict(type='mmktse.LoadImage'),
    dict(type='mmktse.LoadMask'),
    dict(type='mmktse.LoadConfidence'),
    dict(
        type='mmktse.RandomResizedSegCrop',
        scale=_base_.crop_size,
        crop_ratio_range=(0.5, 0.75)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmktse.PackConfidentSegInputs')
]
tta_pipeline = [
    dict(type='mmktse.LoadImage'),
    dict(type='mmktse.LimitLong', max_long=_base_.max_long),
    dict(
        type='TestTimeAug',
        transforms=[[
            dict(type='Resize', scale_factor=r, keep_ratio=True)
            for r in (1.0, 0.75, 1.25)
        ], [dict(type='mmktse.LoadMask')], [dict(type='PackSegInputs')]])
]
tta_model = dict(_delete_=True, type='mmktse.MaxSegTTAModel')
train_dataloader = dict(dataset=dict(confidence=True, pipeline=train_pipeline))
custom_hooks = [
    dict(type='mmktse.EpochSeedHook'),
    dict(type='mmktse.OnlineLabelHook', begin=2)
]
