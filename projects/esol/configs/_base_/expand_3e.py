# One epoch that gets the classifier used to clipped features, then at most
# two in which the offsets climb the loss. Without momentum only the product of
# model.head.lambda_e and the rate counts: lambda_e is the one knob.
_base_ = '../../../../configs/_base_/default_runtime.py'

train_cfg = dict(type='StoppableTrainLoop', max_epochs=3)
test_cfg = dict()
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=0., weight_decay=1e-4),
    paramwise_cfg=dict(custom_keys={'head.classifier': dict(lr_mult=10.)}))
param_scheduler = dict(
    type='PolyLR',
    power=0.9,
    eta_min=0.,
    begin=0,
    end=3,
    by_epoch=True,
    convert_to_iter_based=True)
custom_hooks = [
    dict(type='EpochSeedHook'),
    dict(type='FittingCheckpointHook'),
    dict(type='HoldOffsetsHook', epochs=1),
    dict(type='OffsetStatsHook'),
    dict(type='AscentGuardHook', kappa=3., window=50),
]
log_processor = dict(mean_pattern=r'.*(loss|time|cam_|offset_mean).*')
# Offsets and classifier are not trained in the same epochs.
find_unused_parameters = True
