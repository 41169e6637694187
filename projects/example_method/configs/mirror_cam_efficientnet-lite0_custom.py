_base_ = '../../../configs/cam/cam_efficientnet-lite0_custom.py'

custom_imports = dict(imports=['projects.example_method.example_method'])
model = dict(type='MirrorCAM', mirror=dict(type='MirrorLoss', loss_weight=0.1))
