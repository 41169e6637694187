# As ktse_modern.py, with the settings chosen there.
_base_ = './gpp_mobilenetv2_modern.py'

model = dict(
    type='KTSE',
    labeler=dict(thresholds=(0.5, 0.4)),
    ssr=dict(type='SSRLoss', fg_weight=0.1),
    mga=dict(type='MGALoss', global_weight=0.1))
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='SameClassPairDataset',
        dataset={{_base_.train_dataset}}))
