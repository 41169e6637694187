# Copyright (c) mmktse authors. All rights reserved.
from typing import Tuple

import numpy as np
from mmcv.image import imresize
from mmcv.transforms import BaseTransform

from mmktse.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomRescale(BaseTransform):
    """Resizes an image by a random factor of its own size.

    Pillow's bilinear filter, which smooths when it shrinks; sizes are
    truncated to whole pixels. mmcv's ``RandomResize`` starts from one size
    for all images instead.

    Required and modified key: ``img``, uint8. Modified key: ``img_shape``.

    Args:
        ratio_range (tuple[float, float]): Smallest and largest factor.
            Defaults to (0.5, 2.0).
    """

    def __init__(self, ratio_range: Tuple[float, float] = (0.5, 2.0)) -> None:
        self.ratio_range = ratio_range

    def draw(self) -> float:
        """Draws the factor."""
        return np.random.uniform(*self.ratio_range)

    def transform(self, results: dict) -> dict:
        """Resizes ``img``."""
        ratio = self.draw()
        height, width = results['img'].shape[:2]
        size = max(int(width * ratio), 1), max(int(height * ratio), 1)
        results['img'] = imresize(
            np.ascontiguousarray(results['img']), size, backend='pillow')
        results['img_shape'] = results['img'].shape[:2]
        return results
