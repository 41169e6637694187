# VOC's schedule: AdamW, heads and projector ten times as fast as the backbone,
# decay on everything, norms and biases included.
_base_ = '../../../../configs/_base_/schedules/seg_20k.py'

optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=6e-5, weight_decay=0.01),
    paramwise_cfg=dict(
        custom_keys=dict(
            cam_head=dict(lr_mult=10.),
            aux_head=dict(lr_mult=10.),
            decode_head=dict(lr_mult=10.),
            projector=dict(lr_mult=10.))))
param_scheduler = [
    dict(
        type='mmktse.WarmupPolyLR',
        warmup_steps=1500,
        warmup_ratio=1e-6,
        power=0.9,
        end=20000,
        by_epoch=False)
]
