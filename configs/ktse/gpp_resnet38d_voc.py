# KTSE's classifier without its terms: the baseline of the paper's ladder.
_base_ = [
    '../_base_/models/cam_resnet38d-d8.py',
    '../_base_/datasets/voc12aug_cam-320x320.py',
    '../_base_/schedules/warmup_40e.py', '../_base_/default_runtime.py'
]

model = dict(head=dict(type='GPPHead'))
