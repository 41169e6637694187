# Copyright (c) mmktse authors. All rights reserved.
# In epochs, so that a killed run resumes to the same result.
optim_wrapper = dict(
    type='OptimWrapper',
    # As published: the weight decay passed as momentum, which makes it almost
    # plain SGD.
    optimizer=dict(type='SGD', lr=0.1, momentum=1e-4, weight_decay=1e-4),
    paramwise_cfg=dict(custom_keys=dict(displacement_head=dict(lr_mult=10.))))
param_scheduler = [
    dict(
        type='PolyLR',
        eta_min=0,
        power=0.9,
        begin=0,
        end=3,
        by_epoch=True,
        convert_to_iter_based=True)
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=3)
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=20),
    param_scheduler=dict(type='ParamSchedulerHook'),
    finite=dict(type='mmktse.FiniteStepHook'),
    checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=2),
    sampler_seed=dict(type='DistSamplerSeedHook'))
custom_hooks = [dict(type='mmktse.EpochSeedHook')]
randomness = dict(seed=0)
