# A small ViT for any N classes, on a CPU if need be. It was not published, and
# no figure speaks for it. It starts from random weights, with which a ViT
# learns little from a few images; weights of ImageNet, converted by
# tools/model_converters/convert_weights.py timm_vit, are given by
# --cfg-options model.backbone.init_cfg._delete_=True
# model.backbone.init_cfg.type=Pretrained
# model.backbone.init_cfg.checkpoint=FILE.
_base_ = [
    './_base_/seco_vit-b16.py', './_base_/views-448x448.py',
    './_base_/schedule_20k.py',
    '../../../configs/_base_/datasets/custom_pseudo.py'
]
view_size = (224, 224)
width = 192
max_iters = 4000
model = dict(
    # The sizes of DeiT-Ti.
    backbone=dict(
        arch=dict(
            _delete_=True,
            embed_dims=width,
            num_layers=12,
            num_heads=3,
            feedforward_channels=4 * width),
        init_cfg=None,
        # It is random, too.
        freeze_pos_embed=False),
    decode_head=dict(in_channels=width, num_classes=None),
    cam_head=dict(in_channels=width),
    aux_head=dict(in_channels=width),
    projector=dict(in_channels=width, hidden_channels=512, out_channels=width),
    schedule=dict(
        start=dict(
            lig=201, lil=201, seg=401, reg=401, prototypes=120,
            main_roi=2000)),
    cam_scales=(1, 0.5, 1.5),
    decomposition=dict(num_crops=6, crop_size=48),
    queue=dict(size=1024, channels=width),
    prototypes=dict(channels=width))
crf = dict(max_long=_base_.max_long)
views_pipeline = _base_.views_pipeline
views_pipeline[1]['transforms'][0]['scale'] = view_size
views_pipeline[4]['crop_size'] = view_size
views_pipeline.insert(1,
                      dict(type='mmktse.LimitLong', max_long=_base_.max_long))
square_pipeline = _base_.square_pipeline
square_pipeline[1]['scale'] = view_size
tta_pipeline = _base_.squares_pipeline
for _resize, _side in zip(tta_pipeline[1]['transforms'][0], (224, 288, 336)):
    _resize['scale'] = (_side, _side)
train_dataloader = dict(
    batch_size=8,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(
        _delete_=True,
        type='mmktse.WithBackground',
        dataset=dict(
            type='mmktse.ImageLevelDataset',
            data_root=_base_.data_root,
            ann_file='ImageSets/train_labels.txt',
            metainfo=dict(classes='classes.txt'),
            pipeline=views_pipeline)))
val_dataloader = dict(dataset=dict(pipeline=square_pipeline))
test_dataloader = val_dataloader
param_scheduler = [
    dict(_base_.param_scheduler[0], warmup_steps=300, end=max_iters)
]
train_cfg = dict(max_iters=max_iters, val_interval=1000)
