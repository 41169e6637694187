# Copyright (c) mmktse authors. All rights reserved.
from typing import Optional, Sequence, Tuple

import numpy as np
from mmcv.image import imresize
from mmcv.transforms import BaseTransform

from mmktse.registry import TRANSFORMS
from mmktse.utils import shrink_factor


def _rescale(img: np.ndarray, scale: float, **kwargs) -> np.ndarray:
    height, width = img.shape[:2]
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    # Pillow wants contiguous rows.
    return img if size == (width, height) else imresize(
        np.ascontiguousarray(img), size, **kwargs)


@TRANSFORMS.register_module()
class LimitLong(BaseTransform):
    """Shrinks an image whose longer side is beyond a limit.

    Masks keep their size: a segmentation network is measured at, and its
    masks are brought back to, the ``ori_shape`` of the image.

    Required and modified keys: ``img``, ``img_shape``.

    Args:
        max_long (int): Longest side in pixels.
    """

    def __init__(self, max_long: int) -> None:
        self.max_long = max_long

    def transform(self, results: dict) -> dict:
        """Shrinks ``img``."""
        img = results['img']
        factor = shrink_factor(img.shape[:2], self.max_long)
        results['img'] = _rescale(
            img, factor, interpolation='area', backend='cv2')
        results['img_shape'] = results['img'].shape[:2]
        return results


@TRANSFORMS.register_module()
class RandomResizeLong(BaseTransform):
    """Resizes the longer side to a random length, keeping the aspect.

    Required and modified key: ``img``. Modified key: ``img_shape``.

    Args:
        long_range (tuple[int, int]): Shortest and longest length in pixels,
            both included. Defaults to (256, 512).
        interpolation (str): Defaults to 'bicubic'.
        backend (str): 'pillow' (uint8 images only) or 'cv2'. Defaults to
            'pillow', which smooths when it shrinks.
    """

    def __init__(self,
                 long_range: Tuple[int, int] = (256, 512),
                 interpolation: str = 'bicubic',
                 backend: str = 'pillow') -> None:
        self.low, self.high = long_range
        self.kwargs = dict(interpolation=interpolation, backend=backend)

    def draw(self) -> int:
        """Draws the length of the longer side."""
        return np.random.randint(self.low, self.high + 1)

    def transform(self, results: dict) -> dict:
        """Resizes ``img``."""
        img = results['img']
        results['img'] = _rescale(img,
                                  self.draw() / max(img.shape[:2]),
                                  **self.kwargs)
        results['img_shape'] = results['img'].shape[:2]
        return results


@TRANSFORMS.register_module()
class MultiScaleViews(BaseTransform):
    """Turns an image into a list of it at several scales.

    Required and modified key: ``img``, afterwards a list in the order of
    ``scales``. Added key, unless it is there: ``ori_shape``, (H, W).

    Args:
        scales (Sequence[float]): Factors of the image's size. Defaults to
            (0.5, 1.0, 1.5, 2.0).
        max_long (int, optional): A longer side of the image counts as this
            many pixels, so that photographs of a camera fit into memory and
            have the size of the training. Defaults to None: as it is.
        interpolation (str): Defaults to 'bicubic'.
        backend (str): 'pillow' (uint8 images only) or 'cv2'. Defaults to
            'pillow'.
    """

    def __init__(self,
                 scales: Sequence[float] = (0.5, 1.0, 1.5, 2.0),
                 max_long: Optional[int] = None,
                 interpolation: str = 'bicubic',
                 backend: str = 'pillow') -> None:
        self.scales = scales
        self.max_long = max_long
        self.kwargs = dict(interpolation=interpolation, backend=backend)

    def transform(self, results: dict) -> dict:
        """Makes the views."""
        img = results['img']
        results.setdefault('ori_shape', img.shape[:2])
        factor = shrink_factor(img.shape[:2], self.max_long)
        results['img'] = [
            _rescale(img, factor * scale, **self.kwargs)
            for scale in self.scales
        ]
        return results
