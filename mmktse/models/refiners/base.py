# Copyright (c) mmktse authors. All rights reserved.
from abc import ABCMeta, abstractmethod
from typing import Optional

import numpy as np


class BaseRefiner(metaclass=ABCMeta):
    """Sharpens the scores of one image along its edges.

    Subclasses implement :meth:`refine`. They hold no state of an image, so
    that one object serves many.

    Attributes:
        sha256 (str, optional): Of network and weights of a trained refiner,
            for the manifest of the labels.
    """

    sha256: Optional[str] = None

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
        return self.refine(image, np.asarray(scores, np.float32))

    @abstractmethod
    def refine(self, image: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Does the work of :meth:`__call__` on checked input."""
