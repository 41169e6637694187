# One epoch for the kernel, its offsets at zero, then three for the offsets.
_base_ = '../../../../configs/_base_/default_runtime.py'

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=4)
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
    end=4,
    by_epoch=True,
    convert_to_iter_based=True)
custom_hooks = [
    dict(type='EpochSeedHook'),
    # The second sampler is what this stage adds.
    dict(type='FittingCheckpointHook', new=['head.shrink.']),
    dict(type='HoldOffsetsHook', epochs=1),
    dict(type='OffsetStatsHook'),
]
log_processor = dict(mean_pattern=r'.*(loss|time|cam_|offset_mean).*')
# Kernel and offsets are not trained in the same epochs.
find_unused_parameters = True
