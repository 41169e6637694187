# Published weights and margins, K = 4, published initialisation.
_base_ = './gpp.py'

model = dict(type='KTSE')
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='SameClassPairDataset',
        dataset={{_base_.train_dataset}}))
