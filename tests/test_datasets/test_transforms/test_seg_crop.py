# Copyright (c) mmktse authors. All rights reserved.
import numpy as np

from mmktse.datasets.transforms import RandomResizedSegCrop


def test_image_and_maps_show_the_same_piece():
    np.random.seed(0)
    label = np.arange(12).repeat(4)[None].repeat(40, 0).astype(np.uint8)
    crop = RandomResizedSegCrop(24, crop_ratio_range=(.5, .75))
    for _ in range(20):
        results = crop(
            dict(
                img=np.repeat(label[..., None] * 20, 3, 2),
                gt_seg_map=label,
                gt_confidence=label + 1,
                seg_fields=['gt_seg_map', 'gt_confidence']))
        got = results['gt_seg_map']
        assert results['img'].shape == (24, 24, 3) and got.shape == (24, 24)
        assert results['img_shape'] == (24, 24)
        assert set(np.unique(got)) <= set(range(12))
        assert (results['gt_confidence'] == got + 1).all()
        # Bilinear and nearest sampling differ at the edges of the stripes.
        near = np.abs(results['img'][..., 0] / 20 - got) <= 1
        assert near.all()
        # A piece of half to three quarters of the area, 3:4 to 4:3.
        width = len(np.unique(got)) / 12
        assert .4 <= width <= 1


def test_area_of_the_piece():
    np.random.seed(0)
    crop = RandomResizedSegCrop(24, crop_ratio_range=(.5, .75))
    image = np.zeros((60, 50, 3), np.uint8)
    for _ in range(50):
        _, _, height, width = crop.rand_crop_params(image)
        assert .48 <= height * width / 3000 <= .77
