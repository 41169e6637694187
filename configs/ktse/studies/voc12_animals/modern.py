# From the weights of the warm-up on, with momentum, at the published step
# length 0.001 / (1 - 0.9) = 0.01, and down to zero in 5 epochs of 70 steps.
_base_ = './published.py'

train_cfg = dict(warmup_epochs=0, max_epochs=5, val_interval=1)
optim_wrapper = dict(optimizer=dict(lr=0.001, momentum=0.9))
param_scheduler = [
    # Softens the start of the terms that the warm-up did not have.
    dict(type='LinearLR', start_factor=0.1, begin=0, end=50, by_epoch=False),
    dict(
        type='PolyLR', power=0.9, eta_min=0., begin=0, end=351, by_epoch=False)
]
