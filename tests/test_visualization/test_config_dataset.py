# Copyright (c) mmktse authors. All rights reserved.
import os.path as osp

import pytest

from mmktse.datasets.synthetic import CLASSES, generate_synthetic_voc
from mmktse.visualization.config_dataset import build_dataset

CONFIG = osp.join(
    osp.dirname(__file__),
    '../../configs/cam/cam_efficientnet-lite0_custom.py')


def test_build_dataset(tmp_path):
    root = generate_synthetic_voc(str(tmp_path), 4, 2, 48)
    dataset = build_dataset(CONFIG, dict(data_root=root))
    assert len(dataset) == 4
    assert tuple(dataset.metainfo['classes']) == CLASSES
    sample = dataset.get_data_info(0)
    assert osp.isfile(sample['img_path']) and sample['gt_label']
    assert osp.isfile(sample['seg_map_path'])
    with pytest.raises(ValueError, match='has no other_dataloader'):
        build_dataset(CONFIG, dict(data_root=root), 'other_dataloader')
