_base_ = [
    '../_base_/models/cam_mobilenetv2-d16.py',
    '../_base_/datasets/custom_cam-224x224.py',
    '../_base_/schedules/warmup_8e.py', '../_base_/default_runtime.py'
]
