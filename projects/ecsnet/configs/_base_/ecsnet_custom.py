# Data, schedule and warm-up of the labels on any folder with tags: those of
# the baseline, and what an erased pass needs.
_base_ = [
    '../../../../configs/_base_/datasets/custom_cam-224x224.py',
    '../../../../configs/_base_/schedules/warmup_8e.py',
    '../../../../configs/_base_/default_runtime.py'
]

custom_imports = dict(imports=['projects.ecsnet.ecsnet'])
# Ten times the rate for the branch, as in SEAM; the classifier learns at the
# rate of the baseline.
optim_wrapper = dict(
    paramwise_cfg=dict(custom_keys={'head.seg_': dict(lr_mult=10.)}))
# The two epochs without labels are those of the schedule's warm-up.
custom_hooks = [
    *_base_.custom_hooks,
    dict(type='LabelSourceHook', cam=2, seg=4)
]
# The part of a crop that is no padding.
train_pipeline = _base_.train_pipeline
train_pipeline[-1]['meta_keys'] += ('img_box', )
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
warmup_dataloader = dict(dataset=dict(pipeline=train_pipeline))
