# The published KTSE. What the paper does not say, or what looks like an
# accident of the published code, is named here one by one.
_base_ = './cam_resnet38d-d8.py'

model = dict(
    type='KTSE',
    head=dict(type='GPPHead'),
    # The first four pairs of a batch of 16 are joined.
    num_joint=4,
    # Margins in raw scores, which the paper's formulas lack.
    sie=dict(type='SIELoss', margin=0.05),
    mga=dict(type='MGALoss', margin=0.05),
    erase_threshold=0.6,
    ssr=dict(
        type='SSRLoss',
        # The paper has one cross-entropy of weight 1. The code averages
        # background and foreground apart, and takes foreground from images of
        # one class.
        bg_weight=1.0,
        fg_weight=0.0125,
        inter_weight=0.005,
        fg_threshold=0.2,
        # The loss on the joined images is not quoted from the paper.
        mixed_weight=1.0),
    labeler=dict(
        thresholds=(0.30, 0.15),
        # A present class that is nowhere positive floods the label map.
        keep_empty=True,
        # PAR sees an image that was truncated to 8 bit.
        truncate_image=True))
