# The CAMs of a network trained on VOC as seeds of the train list, measured by
# tools/test.py and turned into labels by tools/make_pseudo_labels.py.
_base_ = './seco_vit-b16_1xb4-20k_voc12aug-448x448.py'

# Scales (1, 0.5, 0.75, 1.25, 1.5, 1.75, 2) give the paper's "mask".
model = dict(type='mmktse.SeCoSeeds', seed_scales=(1, ))
test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='mmktse.VOCImageLevelDataset',
        data_root=_base_.data_root,
        id_file='ImageSets/Segmentation/train.txt',
        pipeline=_base_.seed_pipeline,
        test_mode=True))
test_evaluator = dict(
    _delete_=True, type='mmktse.SeedMetric', fixed_threshold=0.5)
pseudo_labels = dict(threshold=0.5, refiner=dict(type='PARRefiner'))
