_base_ = './cam_r50_voc_seam.py'

custom_imports = dict(imports=['projects.ecsnet.ecsnet'])
# Stride 16: half the dilation sees the same part of the image.
model = dict(
    type='ECSNet',
    head=dict(type='ECSHead', dilation=6),
    eraser=dict(type='ImageEraser'),
    selector=dict(type='LabelSelector'),
    seg_loss=dict(type='BalancedSegLoss'))
custom_hooks = [
    *_base_.custom_hooks,
    dict(type='LabelSourceHook', cam=2, seg=4)
]
