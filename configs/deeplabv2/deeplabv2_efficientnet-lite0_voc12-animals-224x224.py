# Copyright (c) mmktse authors. All rights reserved.
_base_ = './deeplabv2_efficientnet-lite0_custom-224x224.py'

data_root = 'data/voc12_animals/'
pseudo_label_dir = 'work_dirs/pseudo_labels/voc12_animals'
metainfo = dict(
    classes=('background', 'cat', 'cow', 'dog', 'horse', 'person', 'sheep'),
    palette=[[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128],
             [128, 0, 128], [0, 128, 128]])
model = dict(decode_head=dict(num_classes=len(metainfo['classes'])))
train_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        pseudo_label_dir=pseudo_label_dir,
        metainfo=metainfo))
val_dataloader = dict(dataset=dict(data_root=data_root, metainfo=metainfo))
test_dataloader = val_dataloader
