# Copyright (c) mmktse authors. All rights reserved.
from collections import Counter

import numpy as np
import pytest
from mmengine.dataset import pseudo_collate
from PIL import Image

from mmktse.datasets import SameClassPairDataset

# Image 0 has two classes, of which class 0 has one more image, class 1 three.
LABELS = [[0, 1], [0], [1], [1], [1], [2]]


@pytest.fixture
def config(tmp_path):
    (tmp_path / 'JPEGImages').mkdir()
    for index, tags in enumerate(LABELS):
        Image.new('RGB', (20, 20),
                  (index, ) * 3).save(tmp_path / f'JPEGImages/{index}.png')
    (tmp_path / 'labels.txt').write_text('\n'.join(
        f'{i} {" ".join(map(str, tags))}' for i, tags in enumerate(LABELS)))
    return dict(
        type='ImageLevelDataset',
        data_root=str(tmp_path),
        ann_file='labels.txt',
        img_suffix='.png',
        metainfo=dict(classes=('a', 'b', 'c', 'unused')),
        pipeline=[
            dict(type='LoadImage'),
            dict(type='RandomResizeLong', long_range=(8, 40)),
            dict(type='mmcv.RandomFlip', prob=.5),
            dict(type='RandomCropOrPad', crop_size=16),
            dict(type='mmpretrain.PackInputs', meta_keys=('img_id', 'flip')),
        ])


def test_partner_distribution(config):
    pairs = SameClassPairDataset(config)
    np.random.seed(0)
    draws = 6000
    counts = Counter(pairs.draw_partner(0) for _ in range(draws))
    # Class first, then image: 1/2 x 1/2 of class a, 1/2 x 1/4 of class b.
    expected = {0: 3 / 8, 1: 1 / 4, 2: 1 / 8, 3: 1 / 8, 4: 1 / 8}
    assert set(counts) == set(expected)
    for index, share in expected.items():
        assert abs(counts[index] / draws - share) < .02
    # Alone in its class: its own partner.
    assert {pairs.draw_partner(5) for _ in range(20)} == {5}


def test_sample(config):
    pairs = SameClassPairDataset(config)
    assert len(pairs) == 6 and pairs.metainfo['classes'][0] == 'a'
    assert pairs.get_data_info(2)['img_id'] == '2'
    np.random.seed(0)
    independent = False
    for _ in range(20):
        sample = pairs[5]
        assert sample['inputs'].shape == sample['partner_inputs'].shape
        partner = sample['partner_data_samples']
        assert partner.img_id == sample['data_samples'].img_id == '5'
        independent |= partner.flip != sample['data_samples'].flip
    assert independent
    for index, tags in enumerate(LABELS):
        partner = pairs[index]['partner_data_samples']
        assert set(partner.gt_label.tolist()) & set(tags)
    batch = pseudo_collate([pairs[0], pairs[1]])
    assert len(batch['partner_inputs']) == 2


def test_same_seed_same_pair(config):
    pairs = SameClassPairDataset(config)
    samples = []
    for _ in range(2):
        np.random.seed(3)
        samples.append(pairs[0])
    assert (samples[0]['partner_data_samples'].img_id == samples[1]
            ['partner_data_samples'].img_id)
    assert samples[0]['partner_inputs'].equal(samples[1]['partner_inputs'])


def test_lazy_init(config):
    pairs = SameClassPairDataset(dict(config, lazy_init=True), lazy_init=True)
    assert not hasattr(pairs, 'members')
    assert 'partner_inputs' in pairs[0]
    assert pairs.members[0].tolist() == [0, 1]


def test_unlabelled_image_is_refused(config):
    config.update(ann_file='', require_labels=False)
    with pytest.raises(ValueError, match=r'0\.png has no label.*partner'):
        SameClassPairDataset(config)
