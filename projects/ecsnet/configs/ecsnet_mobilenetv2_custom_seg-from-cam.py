# The segmentation is read off the CAM, without a branch.
_base_ = './ecsnet_mobilenetv2_custom.py'

model = dict(
    head=dict(
        _delete_=True,
        type='SegFromCAMHead',
        num_classes=None,
        in_channels=320,
        alpha=4.))
