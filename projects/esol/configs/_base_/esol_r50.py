# ResNet-50 as IRN's CAM network has it, with the head of ESOL.
_base_ = '../../../../configs/_base_/models/cam_r50-d16.py'

custom_imports = dict(imports=['projects.esol.esol'])
model = dict(
    type='ESOL',
    # As in IRN: no dilation, layers 1 and 2 are not trained; statistics of
    # batch norms stay fixed (norm_eval), scales and shifts are trained.
    backbone=dict(
        dilations=(1, 1, 1, 1),
        frozen_stages=2,
        norm_cfg=dict(requires_grad=True)),
    # One value for all stages, which get the weights of each other.
    head=dict(type='ESOLHead', clip=dict(beta=0.15)),
    test_cfg=dict(flip=True, presence_threshold=0.5, merge='pairs'))
