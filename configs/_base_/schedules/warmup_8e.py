# The shape of the published schedule for a CPU and about a thousand images:
# a quarter of the epochs is warm-up. Momentum makes up for the few steps of
# the warm-up; the rest runs at the published rate, 0.001 / (1 - 0.9) = 0.01.
train_cfg = dict(type='WarmupTrainLoop', warmup_epochs=2, max_epochs=8)
test_cfg = dict()
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.004, momentum=0.9, weight_decay=5e-4))
# By epoch, as the iterations of the two phases differ; with end=9 the last of
# eight epochs still learns.
param_scheduler = [
    dict(type='MultiStepLR', milestones=[2], gamma=0.25, by_epoch=True),
    dict(type='PolyLR', power=0.9, eta_min=0., begin=0, end=9, by_epoch=True)
]
