# 10 epochs of warm-up with batch 8, then 30 epochs with batch 16: on the
# 10,582 images of VOC trainaug 10 * 1,322 + 30 * 661 = 33,050 steps.
train_cfg = dict(type='WarmupTrainLoop', warmup_epochs=10, max_epochs=40)
test_cfg = dict()
optim_wrapper = dict(
    type='OptimWrapper',
    # As published: one rate for backbone and head, and the weight decay passed
    # as momentum, which makes it almost plain SGD.
    optimizer=dict(type='SGD', lr=0.01, momentum=5e-4, weight_decay=5e-4))
# As published: the decay is laid out for 40 * 1,322 = 52,880 steps, so that
# the run ends at 0.41 of the rate. PolyLR reaches its end one step early,
# hence the one more.
param_scheduler = dict(
    type='PolyLR', power=0.9, eta_min=0., begin=0, end=52881, by_epoch=False)
