_base_ = [
    '../../../configs/_base_/models/cam_mobilenetv2-d16.py',
    './_base_/ecsnet_custom.py'
]

# A branch that does not outweigh the backbone, at stride 16. The background
# takes in the halo of the maps; chosen on masks of a held-out tenth of six VOC
# classes, where maps of 14x14 cells have their best threshold near 0.45. There
# the classification of the erased image costs more than the labels bring.
model = dict(
    type='ECSNet',
    head=dict(type='ECSHead', seg_channels=128, dilation=6),
    eraser=dict(type='ImageEraser'),
    selector=dict(type='LabelSelector', bg_threshold=0.4),
    seg_loss=dict(type='BalancedSegLoss'),
    erased_weight=0.)
