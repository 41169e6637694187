# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest
from PIL import Image

from mmktse.visualization.cam_overlay import (overlay_cam, overlay_scores,
                                              save_cam_page)
from mmktse.visualization.run_source import RunSource


def test_overlay_cam():
    image = np.full((2, 3, 3), 100, np.uint8)
    cam = np.array([[0, .5, 1]] * 2)
    np.testing.assert_array_equal(overlay_cam(image, cam, alpha=0), image)
    cold, mild, hot = overlay_cam(image, cam, alpha=1)[0].astype(int)
    # Blue, green, red: the order in which one reads heat.
    assert cold[2] > cold[0] and mild[1] == mild.max() and hot[0] > hot[2]
    # What lies outside [0, 1] is clipped, not wrapped.
    np.testing.assert_array_equal(
        overlay_cam(image, cam * 3 - 1), overlay_cam(image, cam))
    with pytest.raises(ValueError, match='size'):
        overlay_cam(image, cam.T)


def test_overlay_scores():
    image = np.full((1, 3, 3), (30, 60, 90), np.uint8)
    cam = np.array([[[0, 1., .2]], [[0, .5, 1.]]])
    palette = [(0, 0, 0), (100, 0, 0), (1, 2, 3), (0, 0, 100)]
    out = overlay_scores(image, cam, np.array([0, 2]), palette)[0]
    np.testing.assert_array_equal(out, [[60, 60, 60], [94, 9, 9], [9, 9, 94]])
    empty = overlay_scores(image, cam[:0], np.zeros(0, int))
    assert (empty == 60).all()
    with pytest.raises(ValueError, match='size'):
        overlay_scores(image, cam.transpose(0, 2, 1), np.array([0, 1]))


def test_save_cam_page(dataset, tmp_path):
    folder = str(tmp_path / 'run')
    sizes = []
    for labels in (None, RunSource('labels', folder)):
        path = save_cam_page(
            str(tmp_path / 'cams.png'),
            dataset.samples[:2],
            RunSource('CAM', folder, 'cam'),
            dataset.metainfo['classes'],
            labels=labels)
        sizes.append(Image.open(path).size)
    assert sizes[1][0] > sizes[0][0]
