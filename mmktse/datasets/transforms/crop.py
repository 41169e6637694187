# Copyright (c) mmktse authors. All rights reserved.
from typing import Sequence, Tuple, Union

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.utils import to_2tuple

from mmktse.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomCropOrPad(BaseTransform):
    """Crops at random where an image is too large, pads where too small.

    A smaller image is put at a random place of the canvas. Where padding is
    needed, the result is float32, so that a mean as ``pad_val`` is exactly
    zero after normalisation, unless the image's own type holds ``pad_val``.

    Required and modified key: ``img``. Modified key: ``img_shape``. Added key:
    ``img_box``, (top, bottom, left, right) of what is no padding, in pixels
    of the result.

    Args:
        crop_size (int | tuple[int, int]): Height and width of the result.
        pad_val (Sequence[float]): Value of each channel, in the order of the
            image (BGR). Defaults to the mean of ImageNet.
    """

    def __init__(
        self,
        crop_size: Union[int, Tuple[int, int]],
        pad_val: Sequence[float] = (103.53, 116.28, 123.675)
    ) -> None:
        self.crop_size = to_2tuple(crop_size)
        self.pad_val = np.array(pad_val, np.float32)

    def draw(self, img_shape: Tuple[int, int]) -> Tuple[int, int]:
        """Draws the offset of the crop in the image, per side.

        Negative offsets are those of a smaller image in the canvas.
        """
        spaces = [s - c for s, c in zip(img_shape, self.crop_size)]
        return tuple(
            int(np.sign(space)) * np.random.randint(abs(space) + 1)
            for space in spaces)

    def transform(self, results: dict) -> dict:
        """Crops or pads ``img``."""
        img = results['img']
        top, left = self.draw(img.shape[:2])
        height, width = self.crop_size
        img = img[max(top, 0):max(top, 0) + height,
                  max(left, 0):max(left, 0) + width]
        top, left = max(-top, 0), max(-left, 0)
        bottom, right = top + img.shape[0], left + img.shape[1]
        if img.shape[:2] != self.crop_size:
            exact = (self.pad_val.astype(img.dtype) == self.pad_val).all()
            canvas = np.empty((*self.crop_size, img.shape[2]),
                              img.dtype if exact else np.float32)
            canvas[:] = self.pad_val
            canvas[top:bottom, left:right] = img
            img = canvas
        results['img'] = img
        results['img_shape'] = img.shape[:2]
        results['img_box'] = (top, bottom, left, right)
        return results
