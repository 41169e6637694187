# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest
from PIL import Image

from mmktse.datasets.transforms import LoadImage


def test_loads_bgr(tmp_path):
    path = tmp_path / 'a.png'
    image = np.zeros((4, 6, 3), np.uint8)
    image[..., 0] = 200
    Image.fromarray(image).save(path)
    results = LoadImage()(dict(img_path=str(path)))
    assert results['ori_shape'] == results['img_shape'] == (4, 6)
    assert results['img'].dtype == np.uint8
    np.testing.assert_array_equal(results['img'], image[..., ::-1])


@pytest.mark.parametrize('content', ['truncated', 'text', 'missing'])
def test_bad_file_is_named(tmp_path, content):
    path = tmp_path / 'bad.jpg'
    if content == 'truncated':
        noise = np.random.default_rng(0).integers(
            0, 255, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path)
        path.write_bytes(path.read_bytes()[:-2000])
    elif content == 'text':
        path.write_text('no image')
    with pytest.raises(OSError, match=r'bad\.jpg cannot be read .*replace it'):
        LoadImage()(dict(img_path=str(path)))
