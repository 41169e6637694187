_base_ = [
    './_base_/esol_mobilenetv2.py',
    '../../../configs/_base_/datasets/custom_cam-224x224.py',
    './_base_/shrink_custom.py'
]

model = dict(
    # It begins as what it gets.
    head=dict(stage='shrink', train_kernel=False),
    area=dict(type='AreaLoss', loss_weight=0.1))
# A tenth as fast as in _base_.
optim_wrapper = dict(optimizer=dict(lr=0.004))
load_from = 'work_dirs/esol_mobilenetv2_expand_custom/epoch_5.pth'
