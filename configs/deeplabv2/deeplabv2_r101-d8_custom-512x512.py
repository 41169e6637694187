# Any N classes on GPUs: the network and schedule of VOC. Batch 16 in all.
_base_ = [
    '../_base_/models/deeplabv2_r101-d8.py',
    '../_base_/datasets/custom_pseudo.py', '../_base_/schedules/seg_20k.py',
    '../_base_/seg_runtime.py'
]
crop_size = (512, 512)
model = dict(
    data_preprocessor=dict(size=crop_size), decode_head=dict(num_classes=None))
train_pipeline = _base_.train_pipeline
train_pipeline[2].update(scale=crop_size, ratio_range=(0.5, 2.0))
train_pipeline[3]['crop_size'] = crop_size
train_dataloader = dict(
    num_workers=4,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline))
crf = dict(max_long=_base_.max_long)
