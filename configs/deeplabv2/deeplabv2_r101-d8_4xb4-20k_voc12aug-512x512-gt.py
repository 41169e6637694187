# Copyright (c) mmktse authors. All rights reserved.
# Upper bound of the pseudo labels: the same training on the real masks.
_base_ = './deeplabv2_r101-d8_4xb4-20k_voc12aug-512x512-pseudo.py'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='PascalVOCDataset',
        data_root=_base_.data_root,
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClassAug'),
        ann_file='ImageSets/Segmentation/trainaug.txt',
        pipeline=_base_.train_pipeline))
