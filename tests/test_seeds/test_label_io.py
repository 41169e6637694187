# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest
from PIL import Image

from mmktse.seeds import color_map, load_label_map, save_label_map


def test_round_trip_as_palette_png(tmp_path):
    label = np.arange(256, dtype=np.uint8).reshape(8, 32)
    save_label_map(tmp_path / 'x.png', label, [[1, 2, 3], [4, 5, 6]])
    image = Image.open(tmp_path / 'x.png')
    assert image.mode == 'P'
    assert image.getpalette()[:6] == [1, 2, 3, 4, 5, 6]
    np.testing.assert_array_equal(load_label_map(tmp_path / 'x.png'), label)


def test_color_map_is_that_of_voc():
    colors = color_map()
    assert colors[:3].tolist() == [[0, 0, 0], [128, 0, 0], [0, 128, 0]]
    assert colors[20].tolist() == [0, 64, 128]
    assert colors[255].tolist() == [224, 224, 192]


def test_bad_masks_are_named(tmp_path):
    path = tmp_path / 'x.png'
    with pytest.raises(FileNotFoundError, match='x.png'):
        load_label_map(path)
    path.write_bytes(b'no picture')
    with pytest.raises(ValueError, match='x.png cannot be read'):
        load_label_map(path)
    Image.new('RGB', (4, 3)).save(path)
    with pytest.raises(ValueError, match='x.png has shape'):
        load_label_map(path)
    save_label_map(path, np.full((3, 4), 7))
    with pytest.raises(ValueError, match='x.png has height x width 3x4'):
        load_label_map(path, (4, 3))
    with pytest.raises(ValueError, match='x.png holds the value 7'):
        load_label_map(path, (3, 4), 6)
    assert load_label_map(path, (3, 4), 7).max() == 7


@pytest.mark.parametrize('value', [-1, 256])
def test_values_that_would_wrap_are_refused(tmp_path, value):
    with pytest.raises(
            ValueError, match=f'x.png would hold the value {value}'):
        save_label_map(tmp_path / 'x.png', np.array([[0, value]]))
    assert not list(tmp_path.iterdir())


def test_void_is_no_class(tmp_path):
    save_label_map(tmp_path / 'x.png', np.full((3, 4), 255))
    assert load_label_map(tmp_path / 'x.png', (3, 4), 2).min() == 255
