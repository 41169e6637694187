_base_ = '../cam/cam_r50_voc.py'

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
