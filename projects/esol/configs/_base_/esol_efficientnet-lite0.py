# In groups: the 14.7 million parameters of a full 3x3 kernel of 1280 channels
# would take most of a step on a CPU.
_base_ = '../../../../configs/_base_/models/cam_efficientnet-lite0-d16.py'

custom_imports = dict(imports=['projects.esol.esol'])
model = dict(
    type='ESOL',
    head=dict(type='ESOLHead', clip=dict(beta=0.15), sampler=dict(groups=8)))
