# The published run on COCO: 80,000 steps on two GPUs.
_base_ = [
    './_base_/seco_vit-b16.py', './_base_/views-448x448.py',
    './_base_/schedule_20k.py',
    '../../../configs/_base_/datasets/coco14_pseudo.py'
]
max_iters = 80000
model = dict(
    decode_head=dict(num_classes=81),
    schedule=dict(
        weights=dict(ptc=0.2, lil=0.3),
        start=dict(
            ptc=8001,
            lig=12001,
            lil=12001,
            seg=16001,
            reg=16001,
            prototypes=6000,
            main_roi=50000,
            main_mask=12000)),
    cam_scales=(1, 0.5, 0.75, 1.25, 1.5),
    thresholds=(0.65, 0.25),
    prototypes=dict(momentum=0.99))
train_dataloader = dict(
    batch_size=4,
    num_workers=8,
    dataset=dict(
        _delete_=True,
        type='mmktse.WithBackground',
        dataset=dict(
            type='mmktse.COCOImageLevelDataset',
            data_root=_base_.data_root,
            pipeline=_base_.views_pipeline)))
# Validated on the first 5,000 images of val, tested on all of them.
val_dataloader = dict(
    dataset=dict(indices=5000, pipeline=_base_.square_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.square_pipeline))
# Scales of the images' own sizes here.
tta_pipeline = [
    dict(type='mmktse.LoadImage'),
    dict(
        type='TestTimeAug',
        transforms=[[
            dict(type='Resize', scale_factor=r, keep_ratio=True)
            for r in (1.0, 1.25, 1.5)
        ],
                    [
                        dict(type='RandomFlip', prob=0.),
                        dict(
                            type='RandomFlip', prob=1., direction='horizontal')
                    ], [dict(type='mmktse.LoadMask')],
                    [dict(type='PackSegInputs')]])
]
param_scheduler = [dict(_base_.param_scheduler[0], end=max_iters)]
train_cfg = dict(max_iters=max_iters, val_begin=62000)
