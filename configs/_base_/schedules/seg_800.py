# Copyright (c) mmktse authors. All rights reserved.
# A short schedule for a pretrained small network on two CPU cores.
_base_ = './seg_20k.py'

max_iters = 800
# 0.01 for the new head is about the most that 1280 unnormalised channels
# bear: at 0.1 all is background after a few steps and stays so.
optim_wrapper = dict(
    optimizer=dict(lr=0.002, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys=dict(decode_head=dict(lr_mult=5.))))
param_scheduler = [
    dict(
        type='PolyLR',
        eta_min=0,
        power=0.9,
        begin=0,
        end=max_iters,
        by_epoch=False)
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
default_hooks = dict(logger=dict(interval=20), checkpoint=dict(interval=100))
