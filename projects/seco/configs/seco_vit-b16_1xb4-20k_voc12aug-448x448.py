# The published run: 20,000 steps on one GPU.
_base_ = [
    './_base_/seco_vit-b16.py', './_base_/views-448x448.py',
    './_base_/schedule_20k.py',
    '../../../configs/_base_/datasets/voc12_pseudo.py'
]
metainfo = _base_.train_dataloader.dataset.metainfo
train_dataloader = dict(
    batch_size=4,
    num_workers=8,
    dataset=dict(
        _delete_=True,
        type='mmktse.WithBackground',
        dataset=dict(
            type='mmktse.VOCImageLevelDataset',
            data_root=_base_.data_root,
            id_file='ImageSets/Segmentation/trainaug.txt',
            pipeline=_base_.views_pipeline)))
val_dataloader = dict(
    dataset=dict(
        type='mmktse.SegListDataset',
        metainfo=metainfo,
        pipeline=_base_.square_pipeline))
test_dataloader = val_dataloader
tta_pipeline = _base_.squares_pipeline
