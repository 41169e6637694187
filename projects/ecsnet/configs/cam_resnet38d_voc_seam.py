# The baseline: plain CAM with the data and schedule of the ECS-Net configs.
_base_ = [
    '../../../configs/_base_/models/cam_resnet38d-d8.py',
    './_base_/voc12aug_cam-448x448.py', './_base_/seam_8e.py',
    '../../../configs/_base_/default_runtime.py'
]
