# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest
from PIL import Image

from mmktse.datasets.transforms import LoadMask


def load(path, size=(3, 4)):
    return LoadMask()(
        dict(
            seg_map_path=str(path),
            ori_shape=size,
            num_classes=3,
            seg_fields=[]))


@pytest.mark.parametrize('size', [(3, 4), (1, 1), (1, 4)])
def test_mask_is_loaded(tmp_path, size):
    values = np.full(size, 2, np.uint8)
    values[0, 0] = 255
    Image.fromarray(values).save(tmp_path / 'a.png')
    results = load(tmp_path / 'a.png', size)
    np.testing.assert_array_equal(results['gt_seg_map'], values)
    assert results['seg_fields'] == ['gt_seg_map']


def test_image_without_mask():
    image = dict(img_path='a.jpg', ori_shape=(3, 4))
    assert LoadMask()(dict(image)) == image


@pytest.mark.parametrize('mask, message', [
    (Image.new('L', (4, 3), 3), 'holds the value 3, but there are only 2'),
    (Image.new('L', (3, 4)), 'has height x width 4x3'),
    (Image.new('RGB', (4, 3)), 'has shape .3, 4, 3'),
    (None, 'cannot be read'),
])
def test_bad_mask_is_named(tmp_path, mask, message):
    path = tmp_path / 'a.png'
    if mask is None:
        path.write_text('no mask')
    else:
        mask.save(path)
    with pytest.raises(ValueError, match=rf'a\.png {message}'):
        load(path)
