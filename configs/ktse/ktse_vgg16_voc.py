_base_ = [
    '../_base_/models/cam_vgg16-d8.py',
    '../_base_/datasets/voc12aug_cam-320x320.py',
    '../_base_/schedules/warmup_40e.py', '../_base_/default_runtime.py'
]

model = dict(
    type='KTSE',
    head=dict(type='GPPHead'),
    sie=dict(type='SIELoss'),
    ssr=dict(type='SSRLoss'),
    mga=dict(type='MGALoss'))
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='SameClassPairDataset',
        dataset={{_base_.train_dataset}}))
