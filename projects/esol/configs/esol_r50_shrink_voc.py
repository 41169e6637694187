_base_ = [
    './_base_/esol_r50.py', './_base_/voc12aug_cam-512x512.py',
    './_base_/shrink_4e.py'
]

model = dict(
    head=dict(stage='shrink'), area=dict(type='AreaLoss', loss_weight=0.01))
load_from = 'work_dirs/esol_r50_expand_voc/epoch_3.pth'
