# What the abstract leaves open is named here one by one, with the defaults.
_base_ = './cam_r50_voc_seam.py'

custom_imports = dict(imports=['projects.ecsnet.ecsnet'])
# Stride 16: half the dilation sees the same part of the image.
model = dict(
    type='ECSNet',
    head=dict(type='ECSHead', seg_channels=512, dilation=6),
    eraser=dict(type='ImageEraser', mode='hard', threshold=0.6, fill=0.),
    selector=dict(
        type='LabelSelector',
        clauses=('R0', 'R1', 'R2', 'R3', 'R4', 'R5'),
        seed_threshold=0.5,
        erased_threshold=0.5,
        margin=0.1,
        presence_threshold=0.5,
        bg_threshold=0.05,
        # Without R5, of R6 and of R7.
        argmax_threshold=0.26,
        keep_share=0.6,
        min_cells=4),
    seg_loss=dict(type='BalancedSegLoss', loss_weight=1.0),
    erased_weight=1.0,
    min_visible=0.05,
    area_threshold=0.2,
    num_erasures=1,
    teacher_momentum=None,
    test_cfg=dict(flip=True, presence_threshold=0.5, seed='cam'))
# Two epochs without labels, two with those of the CAM.
custom_hooks = [
    *_base_.custom_hooks,
    dict(type='LabelSourceHook', cam=2, seg=4)
]
