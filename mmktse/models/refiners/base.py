# Copyright (c) mmktse authors. All rights reserved.
from abc import ABCMeta, abstractmethod
from typing import Optional, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from mmcv.image import imresize

from mmktse.utils import shrink_factor


class BaseRefiner(metaclass=ABCMeta):
    """Sharpens the scores of one image along its edges.

    Subclasses implement :meth:`refine`. They hold no state of an image, so
    that one object serves many.

    Args:
        max_long (int, optional): An image with a longer side is refined at
            this size, in pixels, and the scores are brought back: time and
            memory of all refiners grow with the pixels. Defaults to None: no
            limit.

    Attributes:
        sha256 (str, optional): Of network and weights of a trained refiner,
            for the manifest of the labels.
    """

    sha256: Optional[str] = None
    # Of subclasses that do not offer it.
    max_long: Optional[int] = None

    def __init__(self, max_long: Optional[int] = None) -> None:
        self.max_long = max_long

    def __call__(self, image: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Refines scores.

        Args:
            image (np.ndarray): RGB image (H, W, 3) uint8.
            scores (np.ndarray): Scores (K + 1, H, W), background first.

        Returns:
            np.ndarray: Refined scores (K + 1, H, W) float32.

        Raises:
            ValueError: If image and scores do not fit together.
        """
        if image.dtype != np.uint8 or image.shape != (*scores.shape[1:], 3):
            raise ValueError(
                f'A uint8 RGB image of shape {(*scores.shape[1:], 3)} is '
                f'needed, got {image.dtype} {image.shape}.')
        scores = np.asarray(scores, np.float32)
        height, width = image.shape[:2]
        factor = shrink_factor((height, width), self.max_long)
        if factor == 1:
            return self.refine(image, scores)
        small = max(round(height * factor), 1), max(round(width * factor), 1)
        refined = self.refine(
            imresize(image, small[::-1], interpolation='area'),
            _resize(scores, small))
        return _resize(refined, (height, width))

    @abstractmethod
    def refine(self, image: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Does the work of :meth:`__call__` on checked input."""


def _resize(scores: np.ndarray, size: Tuple[int, int]) -> np.ndarray:
    return F.interpolate(
        torch.from_numpy(scores)[None], size, mode='bilinear',
        antialias=True)[0].numpy()
