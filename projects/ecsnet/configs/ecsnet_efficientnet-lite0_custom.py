_base_ = [
    '../../../configs/_base_/models/cam_efficientnet-lite0-d16.py',
    './_base_/ecsnet_custom.py'
]

# As ecsnet_mobilenetv2_custom.py, which says why; not tried here.
model = dict(
    type='ECSNet',
    head=dict(type='ECSHead', seg_channels=128, dilation=6),
    eraser=dict(type='ImageEraser'),
    selector=dict(type='LabelSelector', bg_threshold=0.4),
    seg_loss=dict(type='BalancedSegLoss'),
    erased_weight=0.)
