_base_ = [
    './_base_/esol_r50.py', './_base_/voc12aug_cam-512x512.py',
    './_base_/expand_3e.py'
]

model = dict(head=dict(stage='expand', lambda_e=0.01))
load_from = 'work_dirs/esol_r50_warm_voc/epoch_5.pth'
