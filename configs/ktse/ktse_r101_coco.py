# Not published: the recipe of VOC on the classes and images of COCO.
_base_ = [
    '../_base_/models/cam_r50-d16.py',
    '../_base_/datasets/coco14_cam-320x320.py',
    '../_base_/schedules/warmup_40e.py', '../_base_/default_runtime.py'
]

model = dict(
    type='KTSE',
    backbone=dict(
        depth=101,
        init_cfg=dict(type='Pretrained',
                      checkpoint='torchvision://resnet101')),
    head=dict(type='GPPHead', num_classes=80),
    sie=dict(type='SIELoss'),
    ssr=dict(type='SSRLoss'),
    mga=dict(type='MGALoss'))
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='SameClassPairDataset',
        dataset={{_base_.train_dataset}}))
# As in VOC, 40 times the warm-up's steps per epoch: 40 * (82,081 // 8) + 1.
param_scheduler = dict(end=410401)
