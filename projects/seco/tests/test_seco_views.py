# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest
from mmcv.transforms import RandomFlip

from mmktse.datasets.transforms import RandomCropOrPad
from projects.seco.seco import RandomRescale


@pytest.mark.parity
@pytest.mark.parametrize('case', [0, 1, 2])
def test_golden_base_view(seco_parity, monkeypatch, case):
    arrays = seco_parity('c11_base_augment')
    data = {
        key[2:]: value.numpy()
        for key, value in arrays.items() if key.startswith(f'{case}_')
    }
    rescale, crop = RandomRescale(), RandomCropOrPad(64, (0, 0, 0))
    flip = RandomFlip(float(data['flip_draw'] > .5))
    monkeypatch.setattr(rescale, 'draw', lambda: float(data['ratio']))
    monkeypatch.setattr(crop, 'draw',
                        lambda shape: tuple(data['start_hw'] - data['pad_hw']))
    results = rescale(dict(img=data['image']))
    np.testing.assert_array_equal(results['img'], data['scaled'])
    assert results['img_shape'] == data['scaled'].shape[:2]
    results = crop(flip(results))
    np.testing.assert_array_equal(results['img'], data['crop'])
    assert results['img'].dtype == np.uint8
    assert results['img_box'] == tuple(data['img_box'])


def test_factor_is_of_the_image():
    np.random.seed(0)
    image = np.zeros((30, 50, 3), np.uint8)
    ratios = []
    for _ in range(200):
        height, width = RandomRescale()(dict(img=image))['img_shape']
        assert abs(height * 50 - width * 30) < 50
        ratios.append(width / 50)
    assert .5 <= min(ratios) < .55 and 1.95 < max(ratios) <= 2
