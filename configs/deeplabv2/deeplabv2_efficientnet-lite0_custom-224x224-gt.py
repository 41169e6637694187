# Copyright (c) mmktse authors. All rights reserved.
# Upper bound of the pseudo labels: the same training on the real masks.
_base_ = './deeplabv2_efficientnet-lite0_custom-224x224.py'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='mmktse.SegListDataset',
        data_root=_base_.data_root,
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClass'),
        ann_file='ImageSets/train.txt',
        metainfo=_base_.metainfo,
        pipeline=_base_.train_pipeline))
