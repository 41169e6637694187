# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest

from mmktse.datasets.transforms import (LimitLong, MultiScaleViews,
                                        RandomResizeLong)


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(
        0, 255, (70, 101, 3), dtype=np.uint8)


def test_long_side_within_range_and_aspect_kept(image):
    transform = RandomResizeLong(long_range=(30, 33))
    np.random.seed(0)
    seen = set()
    for turned in (image, image.transpose(1, 0, 2)):
        for _ in range(30):
            results = transform(dict(img=turned))
            shape = results['img'].shape[:2]
            assert results['img_shape'] == shape
            seen.add(max(shape))
            assert min(shape) == round(70 * max(shape) / 101)
    # Both ends are included.
    assert seen == {30, 31, 32, 33}


def test_thin_image_keeps_a_pixel():
    results = RandomResizeLong((8, 8))(
        dict(img=np.zeros((1, 100, 3), np.uint8)))
    assert results['img'].shape == (1, 8, 3)


def test_views(image):
    results = MultiScaleViews(scales=(1.5, 1.0, 0.5))(dict(img=image))
    # Python's round: 151.5 -> 152 and 50.5 -> 50, the even neighbour.
    assert [view.shape[:2] for view in results['img']] == [(105, 152),
                                                           (70, 101), (35, 50)]
    np.testing.assert_array_equal(results['img'][1], image)
    assert results['ori_shape'] == (70, 101)
    # Of an image that was resized before, CAMs get the original size.
    resized = dict(img=image, ori_shape=(35, 50))
    assert MultiScaleViews()(resized)['ori_shape'] == (35, 50)
    assert all(view.dtype == np.uint8 for view in results['img'])


def test_views_of_a_large_image(image):
    results = MultiScaleViews((.5, 1., 2.), max_long=50)(dict(img=image))
    assert [view.shape[:2] for view in results['img']] == [(17, 25), (35, 50),
                                                           (69, 100)]
    assert results['ori_shape'] == (70, 101)
    # A smaller image is not made larger.
    for kwargs in ({}, dict(max_long=101)):
        same = MultiScaleViews((1., ), **kwargs)(dict(img=image))['img'][0]
        np.testing.assert_array_equal(same, image)


def test_limit(image):
    results = LimitLong(50)(dict(img=image, ori_shape=(70, 101)))
    assert results['img'].shape == (35, 50, 3)
    assert results['img_shape'] == (35, 50)
    assert results['ori_shape'] == (70, 101)
    assert abs(results['img'].mean() - image.mean()) < 1
    results = LimitLong(101)(dict(img=image))
    np.testing.assert_array_equal(results['img'], image)
    assert results['img_shape'] == (70, 101)
    thin = LimitLong(10)(dict(img=np.zeros((1, 100, 3), np.uint8)))
    assert thin['img'].shape == (1, 10, 3)


def test_pillow_bicubic_smooths_when_shrinking():
    # Stripes of one pixel: without a filter they would survive as such.
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    view = MultiScaleViews(scales=(.25, ))(dict(img=stripes))['img'][0]
    assert np.ptp(view[:, 2:-2].astype(int)) < 30
