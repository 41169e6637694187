_base_ = [
    './_base_/esol_r50.py', './_base_/coco14_cam-512x512.py',
    './_base_/shrink_4e.py'
]

model = dict(
    head=dict(stage='shrink', num_classes=80),
    area=dict(type='AreaLoss', loss_weight=0.01))
load_from = 'work_dirs/esol_r50_expand_coco/epoch_3.pth'
