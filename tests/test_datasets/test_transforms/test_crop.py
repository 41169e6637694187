# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest
import torch

from mmktse.datasets.transforms import RandomCropOrPad, RandomResizeLong

MEAN = np.array((103.53, 116.28, 123.675), np.float32)


def test_larger_image_is_cropped_anywhere():
    image = np.arange(6 * 5).reshape(6, 5, 1).repeat(3, 2).astype(np.uint8)
    np.random.seed(0)
    corners = set()
    for _ in range(200):
        results = RandomCropOrPad((4, 3))(dict(img=image))
        crop = results['img']
        assert crop.dtype == np.uint8  # nothing was padded
        assert results['img_shape'] == crop.shape[:2] == (4, 3)
        assert results['img_box'] == (0, 4, 0, 3)
        top, left = divmod(int(crop[0, 0, 0]), 5)
        np.testing.assert_array_equal(crop, image[top:top + 4, left:left + 3])
        corners.add((top, left))
    assert corners == {(row, col) for row in range(3) for col in range(3)}


def test_smaller_image_is_put_anywhere():
    image = np.full((2, 3, 3), 7, np.uint8)
    np.random.seed(0)
    corners = set()
    for _ in range(200):
        results = RandomCropOrPad(4, MEAN)(dict(img=image))
        out = results['img']
        assert out.shape == (4, 4, 3) and out.dtype == np.float32
        rows, cols = np.nonzero((out == 7).all(-1))
        assert len(rows) == 6
        assert results['img_box'] == (rows.min(), rows.max() + 1, cols.min(),
                                      cols.max() + 1)
        corners.add((rows.min(), cols.min()))
        # Exactly zero after normalisation.
        out[(out == 7).all(-1)] = MEAN
        assert (out - MEAN == 0).all()
    assert corners == {(row, col) for row in range(3) for col in range(2)}


def test_mixed_sides_and_equal_size():
    image = np.ones((2, 6, 3), np.uint8)
    out = RandomCropOrPad(4, MEAN)(dict(img=image))['img']
    assert out.shape == (4, 4, 3) and (out == 1).all((1, 2)).sum() == 2
    image = np.ones((4, 4, 3), np.uint8)
    assert RandomCropOrPad(4)(dict(img=image))['img'].dtype == np.uint8


def test_black_is_an_8_bit_value():
    image = np.ones((2, 6, 3), np.uint8)
    out = RandomCropOrPad(4, (0, 0, 0))(dict(img=image))['img']
    assert out.dtype == np.uint8 and out.sum() == 2 * 4 * 3


@pytest.mark.parity
@pytest.mark.parametrize('draw', [0, 1, 2])
def test_parity(parity, assert_near, monkeypatch, draw):
    golden = parity('data_aug')

    def value(name):
        return golden[f'draw{draw}_{name}'].numpy()

    mean = np.array((0.485, 0.456, 0.406), np.float32) * 255
    std = np.array((0.229, 0.224, 0.225), np.float32) * 255
    resize = RandomResizeLong()
    monkeypatch.setattr(resize, 'draw', lambda: int(value('long_side')))
    crop = RandomCropOrPad(int(golden['crop']), mean)
    left, top = value('image_left_top') - value('canvas_left_top')
    monkeypatch.setattr(crop, 'draw', lambda shape: (top, left))

    image = resize(dict(img=golden['image_u8'].numpy()))['img']
    assert image.shape[1::-1] == tuple(value('resized_wh'))
    if value('flip'):
        image = image[:, ::-1]
    out = (crop(dict(img=image))['img'] - mean) / std
    assert_near(
        torch.from_numpy(out.transpose(2, 0, 1)),
        golden[f'draw{draw}_out'],
        tol=1e-6)
