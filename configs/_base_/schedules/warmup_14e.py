# For a few hundred images: warm-up is most of the schedule, as the terms of
# KTSE need a classifier that works.
train_cfg = dict(type='WarmupTrainLoop', warmup_epochs=8, max_epochs=14)
test_cfg = dict()
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.004, momentum=0.9, weight_decay=5e-4))
param_scheduler = [
    dict(type='MultiStepLR', milestones=[8], gamma=0.5, by_epoch=True),
    dict(type='PolyLR', power=0.9, eta_min=0., begin=0, end=15, by_epoch=True)
]
