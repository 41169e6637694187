# Copyright (c) mmktse authors. All rights reserved.
# KTSE's segmentation stage: two DeepLabV2 that are trained together (BECO) on
# pseudo labels and the masks of their surest pixels.
_base_ = [
    '../_base_/models/deeplabv2_r101-d8.py',
    '../_base_/datasets/voc12_pseudo.py', '../_base_/schedules/beco_100e.py',
    '../_base_/seg_runtime.py'
]
crop_size = (512, 512)
model = dict(type='mmktse.BECO', data_preprocessor=dict(size=crop_size))
# Colours are changed in the model, after the images are mixed.
train_pipeline = [
    dict(type='mmktse.LoadImage'),
    dict(type='LoadAnnotations'),
    dict(type='mmktse.LoadConfidence'),
    dict(
        type='mmktse.RandomResizedSegCrop',
        scale=crop_size,
        crop_ratio_range=(0.5, 0.75)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmktse.PackConfidentSegInputs')
]
# Images are squeezed to 512x512; the scores go back to their own size.
test_pipeline = [
    dict(type='mmktse.LoadImage'),
    dict(type='Resize', scale=crop_size, keep_ratio=False),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs')
]
tta_pipeline = [
    dict(type='mmktse.LoadImage'),
    dict(
        type='TestTimeAug',
        transforms=[[
            dict(type='Resize', scale=(side, side), keep_ratio=False)
            for side in (512, 384, 640)
        ], [dict(type='LoadAnnotations')], [dict(type='PackSegInputs')]])
]
tta_model = dict(_delete_=True, type='mmktse.MaxSegTTAModel')
train_dataloader = dict(
    persistent_workers=False,
    drop_last=True,
    worker_init_fn=dict(type='mmktse.seed_worker'),
    sampler=dict(_delete_=True, type='DefaultSampler', shuffle=True),
    dataset=dict(confidence=True, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
log_processor = dict(by_epoch=True)
