# For about a thousand images on a CPU. One epoch that gets the classifier used
# to clipped features, then at most four in which the offsets climb the loss.
# Without momentum only the product of model.head.lambda_e and the rate counts:
# lambda_e is the one knob.
_base_ = './expand_3e.py'

train_cfg = dict(max_epochs=5)
optim_wrapper = dict(
    optimizer=dict(lr=0.04, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys={'head.classifier': dict(lr_mult=1.)}))
param_scheduler = dict(end=5)
custom_hooks = [
    dict(type='EpochSeedHook'),
    dict(type='FittingCheckpointHook'),
    dict(type='HoldOffsetsHook', epochs=1),
    dict(type='OffsetStatsHook'),
    dict(type='AscentGuardHook', kappa=3., window=20),
]
