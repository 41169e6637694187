# A short schedule for a pretrained small network on two CPU cores. In epochs,
# so that a killed run resumes to the same result.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.002, momentum=0.9, weight_decay=5e-4),
    # 0.01 for the new head is about the most that 1280 unnormalised channels
    # bear: at 0.1 all is background after a few steps and stays so.
    paramwise_cfg=dict(custom_keys=dict(decode_head=dict(lr_mult=5.))))
param_scheduler = [
    dict(
        type='PolyLR',
        eta_min=0,
        power=0.9,
        begin=0,
        end=12,
        by_epoch=True,
        convert_to_iter_based=True)
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=12, val_interval=12)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=20),
    param_scheduler=dict(type='ParamSchedulerHook'),
    finite=dict(type='mmktse.FiniteStepHook'),
    checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=2),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='SegVisualizationHook'))
custom_hooks = [dict(type='mmktse.EpochSeedHook')]
randomness = dict(seed=0)
