# The CAMs of such a network as seeds of its training images.
_base_ = './seco_vit-tiny_custom-224x224.py'

model = dict(type='mmktse.SeCoSeeds', seed_scales=(1, 0.5, 1.5))
seed_pipeline = _base_.seed_pipeline
seed_pipeline[1]['scale'] = _base_.view_size
test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='mmktse.ImageLevelDataset',
        data_root=_base_.data_root,
        ann_file='ImageSets/train_labels.txt',
        metainfo=dict(classes='classes.txt'),
        pipeline=seed_pipeline,
        test_mode=True))
test_evaluator = dict(
    _delete_=True, type='mmktse.SeedMetric', fixed_threshold=0.5)
pseudo_labels = dict(
    threshold=0.5, refiner=dict(type='PARRefiner', max_long=_base_.max_long))
