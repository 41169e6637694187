_base_ = '../cam/cam_mobilenetv2_custom.py'

# Not as published: see positive_background in GPPHead.
model = dict(
    type='KTSE',
    head=dict(type='GPPHead', positive_background=True),
    sie=dict(type='SIELoss'),
    ssr=dict(type='SSRLoss'),
    mga=dict(type='MGALoss'))
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='SameClassPairDataset',
        dataset={{_base_.train_dataset}}))
