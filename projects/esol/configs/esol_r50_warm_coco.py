_base_ = [
    './_base_/esol_r50.py', './_base_/coco14_cam-512x512.py',
    './_base_/warm_5e.py'
]

model = dict(head=dict(num_classes=80))
