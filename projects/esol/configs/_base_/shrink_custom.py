# For about a thousand images on a CPU: two epochs for the kernel, unless that
# stays the identity, its offsets at zero, then four for the offsets.
_base_ = './shrink_4e.py'

train_cfg = dict(max_epochs=6)
optim_wrapper = dict(
    optimizer=dict(lr=0.04, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys={'head.classifier': dict(lr_mult=1.)}))
param_scheduler = dict(end=6)
custom_hooks = [
    dict(type='EpochSeedHook'),
    dict(type='FittingCheckpointHook', new=['head.shrink.']),
    dict(type='HoldOffsetsHook', epochs=2),
    dict(type='OffsetStatsHook'),
]
# The offsets can run away within an epoch.
default_hooks = dict(logger=dict(interval=10))
