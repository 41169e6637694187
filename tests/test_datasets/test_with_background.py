# Copyright (c) mmktse authors. All rights reserved.
from mmktse.datasets import ImageLevelDataset, WithBackground
from mmktse.datasets.synthetic import CLASSES, generate_synthetic_voc


def test_only_the_names_change(tmp_path):
    root = generate_synthetic_voc(str(tmp_path), 3, 1, 48)
    config = dict(
        type='ImageLevelDataset',
        data_root=root,
        ann_file='ImageSets/train_labels.txt',
        metainfo=dict(classes='classes.txt'))
    plain = ImageLevelDataset(**{k: config[k] for k in config if k != 'type'})
    wrapped = WithBackground(dict(config, type='mmktse.ImageLevelDataset'))
    assert wrapped.metainfo['classes'] == ('background', *CLASSES)
    assert plain.metainfo['classes'] == CLASSES
    assert len(wrapped) == len(plain) == 3
    for index in range(3):
        assert wrapped.get_data_info(index) == plain.get_data_info(index)
        assert wrapped[index] == plain[index]
