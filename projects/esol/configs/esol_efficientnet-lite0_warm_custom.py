# The schedule of the plain CAM network, which is the control.
_base_ = [
    './_base_/esol_efficientnet-lite0.py',
    '../../../configs/_base_/datasets/custom_cam-224x224.py',
    '../../../configs/_base_/schedules/warmup_8e.py',
    '../../../configs/_base_/default_runtime.py'
]
