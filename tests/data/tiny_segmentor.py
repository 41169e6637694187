# Copyright (c) mmktse authors. All rights reserved.
# A segmentation network that is fast and useless, for the tests of tools.
_base_ = '../../configs/_base_/seg_runtime.py'
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[127.] * 3,
        std=[50.] * 3,
        bgr_to_rgb=True),
    backbone=dict(type='mmpretrain.MobileNetV2', widen_factor=.1),
    decode_head=dict(
        type='mmktse.DeepLabV2Head',
        in_channels=1280,
        in_index=0,
        num_classes=None,
        dilations=(1, ),
        align_corners=False),
    test_cfg=dict(mode='whole'))
tta_pipeline = [
    dict(type='mmktse.LoadImage'),
    dict(
        type='TestTimeAug',
        transforms=[[
            dict(type='Resize', scale_factor=r, keep_ratio=True)
            for r in (1., .5)
        ], [dict(type='mmktse.LoadMask')], [dict(type='PackSegInputs')]])
]
test_dataloader = dict(
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='mmktse.SegListDataset',
        data_root='nowhere',
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClass'),
        ann_file='ImageSets/val.txt',
        metainfo=dict(classes='classes.txt'),
        pipeline=[
            dict(type='mmktse.LoadImage'),
            dict(type='mmktse.LoadMask'),
            dict(type='PackSegInputs'),
        ]))
test_cfg = dict(type='TestLoop')
test_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
