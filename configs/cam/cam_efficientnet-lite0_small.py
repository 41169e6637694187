_base_ = [
    '../_base_/models/cam_efficientnet-lite0-d16.py',
    '../_base_/datasets/custom_cam-224x224.py',
    '../_base_/schedules/warmup_14e.py', '../_base_/default_runtime.py'
]
