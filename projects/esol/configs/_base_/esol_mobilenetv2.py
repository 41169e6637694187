# The last features of MobileNetV2 are signed: only the ReLU of the sampler
# makes them what the clip cuts, and an untrained head is not the plain one.
_base_ = '../../../../configs/_base_/models/cam_mobilenetv2-d16.py'

custom_imports = dict(imports=['projects.esol.esol'])
model = dict(type='ESOL', head=dict(type='ESOLHead', clip=dict(beta=0.15)))
