# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest
from PIL import Image

from mmktse.visualization.page import (Panel, overlay_label, panel,
                                       save_page)


def test_overlay_label():
    image = np.full((1, 3, 3), (0, 90, 180), np.uint8)
    label = np.array([[0, 1, 255]], np.uint8)
    mixed = overlay_label(image, label, [(0, 0, 0), (200, 0, 100)], alpha=.5)
    np.testing.assert_array_equal(
        mixed[0], [[90, 90, 90], [145, 45, 95], [157, 157, 141]])
    with pytest.raises(ValueError, match='size'):
        overlay_label(image, label.T)


def test_void_is_hatched():
    image = np.full((8, 8, 3), 100, np.uint8)
    label = np.full((8, 8), 255, np.uint8)
    label[0] = 0
    mixed = overlay_label(image, label, hatch_void=True)
    assert (mixed[0] == 100).all()
    assert {tuple(color)
            for color in mixed[1:].reshape(-1, 3).tolist()} == {(224, 224,
                                                                 192),
                                                                (48, 48, 48)}
    # Diagonal: one step to the right is one step up.
    np.testing.assert_array_equal(mixed[2:, :-1], mixed[1:-1, 1:])


def test_panel_of_a_large_picture():
    image = np.zeros((600, 1024, 3), np.uint8)
    assert panel(image, 'a').image.shape == (300, 512, 3)
    assert panel(image[:20, :512]).image.base is image


def test_save_page(tmp_path):
    black = Panel(np.zeros((4, 6, 3), np.uint8), 'black')
    path = str(tmp_path / 'new/page.png')
    assert save_page(path, [[black, black], [Panel(None, 'none')]]) == path
    two_rows = Image.open(path)
    assert two_rows.format == 'PNG'
    save_page(path, [[black, black]])
    assert Image.open(path).height < two_rows.height
    assert [f.name for f in (tmp_path / 'new').iterdir()] == ['page.png']
    with pytest.raises(ValueError, match='nothing to show'):
        save_page(path, [])
