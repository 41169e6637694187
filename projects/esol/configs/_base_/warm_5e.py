# IRN's classifier: batch 16, and the weight decay passed as momentum, which
# makes it almost plain SGD.
_base_ = '../../../../configs/_base_/default_runtime.py'

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=5)
test_cfg = dict()
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=1e-4, weight_decay=1e-4),
    paramwise_cfg=dict(custom_keys={'head.classifier': dict(lr_mult=10.)}))
param_scheduler = dict(
    type='PolyLR',
    power=0.9,
    eta_min=0.,
    begin=0,
    end=5,
    by_epoch=True,
    convert_to_iter_based=True)
