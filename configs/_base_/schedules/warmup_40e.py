# 10 epochs of warm-up with batch 8, then 30 epochs with batch 16.
train_cfg = dict(type='WarmupTrainLoop', warmup_epochs=10, max_epochs=40)
test_cfg = dict()
# As published: the momentum equals the weight decay, which makes it plain
# SGD, and the decay is laid out for 52,880 of which 33,050 steps are run.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=5e-4, weight_decay=5e-4))
# PolyLR reaches its end one step early, hence the one more.
param_scheduler = dict(
    type='PolyLR', power=0.9, eta_min=0., begin=0, end=52881, by_epoch=False)
