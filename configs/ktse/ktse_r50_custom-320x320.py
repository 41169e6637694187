# Any N classes on a GPU. It was not published, and no figure speaks for it;
# docs/schedule.md says how to find epochs, thresholds and weights for your
# data.
_base_ = [
    '../_base_/models/cam_r50-d16.py',
    '../_base_/datasets/custom_cam-320x320.py',
    '../_base_/schedules/warmup_8e.py', '../_base_/default_runtime.py'
]

# The mean of ImageNet, BGR: padding is zero after the normalisation.
train_pipeline = _base_.train_pipeline
train_pipeline[3]['pad_val'] = (103.53, 116.28, 123.675)
train_dataset = dict(pipeline=train_pipeline)
warmup_dataloader = dict(dataset=train_dataset)
# Not as published: see positive_background in GPPHead.
model = dict(
    type='KTSE',
    head=dict(type='GPPHead', num_classes=None, positive_background=True),
    sie=dict(type='SIELoss'),
    ssr=dict(type='SSRLoss'),
    mga=dict(type='MGALoss'))
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='SameClassPairDataset',
        dataset=dict(_base_.train_dataset, pipeline=train_pipeline)))
# Ten epochs of warm-up, six with all terms.
train_cfg = dict(warmup_epochs=10, max_epochs=16)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[10], gamma=0.25, by_epoch=True),
    dict(type='PolyLR', power=0.9, eta_min=0., begin=0, end=17, by_epoch=True)
]
