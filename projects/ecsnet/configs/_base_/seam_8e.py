# The schedule of SEAM, with which ResNet38d is trained in this line of work.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=8)
test_cfg = dict()
optim_wrapper = dict(
    type='OptimWrapper',
    # As published: the weight decay passed as momentum, which makes it almost
    # plain SGD.
    optimizer=dict(type='SGD', lr=0.01, momentum=5e-4, weight_decay=5e-4),
    # New layers learn at ten times the rate of the backbone, their biases at
    # twenty times and without decay. The backbone has no biases to train.
    paramwise_cfg=dict(
        custom_keys={
            'head': dict(lr_mult=10.),
            'head.seg_conv.bias': dict(lr_mult=20., decay_mult=0.),
            'head.seg_classifier.bias': dict(lr_mult=20., decay_mult=0.)
        }))
param_scheduler = [
    dict(
        type='PolyLR',
        power=0.9,
        eta_min=0.,
        begin=0,
        end=8,
        by_epoch=True,
        convert_to_iter_based=True)
]
