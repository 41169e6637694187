_base_ = '../cam/cam_mobilenetv2_custom.py'

model = dict(type='KTSE', head=dict(type='GPPHead'))
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='SameClassPairDataset',
        dataset={{_base_.train_dataset}}))
