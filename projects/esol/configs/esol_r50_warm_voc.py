_base_ = [
    './_base_/esol_r50.py', './_base_/voc12aug_cam-512x512.py',
    './_base_/warm_5e.py'
]
