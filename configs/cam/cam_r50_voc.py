_base_ = [
    '../_base_/models/cam_r50-d16.py',
    '../_base_/datasets/voc12aug_cam-320x320.py',
    '../_base_/schedules/warmup_40e.py', '../_base_/default_runtime.py'
]
