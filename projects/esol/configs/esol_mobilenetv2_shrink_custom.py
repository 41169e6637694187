_base_ = [
    './_base_/esol_mobilenetv2.py',
    '../../../configs/_base_/datasets/custom_cam-224x224.py',
    './_base_/shrink_custom.py'
]

model = dict(
    head=dict(stage='shrink'), area=dict(type='AreaLoss', loss_weight=0.01))
load_from = 'work_dirs/esol_mobilenetv2_expand_custom/epoch_5.pth'
