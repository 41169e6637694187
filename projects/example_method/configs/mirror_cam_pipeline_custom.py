# The stages of a folder of images with tags, with this CAM network.
_base_ = '../../../configs/pipelines/ktse_custom.py'

cam = 'projects/example_method/configs/mirror_cam_efficientnet-lite0_custom.py'
stages = _base_.stages
for _stage in stages:
    if _stage.get('title') == 'KTSE':
        _stage['title'] = 'MirrorCAM'
