# Copyright (c) mmktse authors. All rights reserved.
from typing import Callable, Optional

import numpy as np

from .label_io import VOID


def make_label(cam: np.ndarray,
               classes: np.ndarray,
               threshold: float,
               ignore_threshold: Optional[float] = None,
               image: Optional[np.ndarray] = None,
               refiner: Optional[Callable] = None,
               background_alpha: Optional[float] = None) -> np.ndarray:
    """Turns the CAMs of one image into a label map.

    The classes compete with a constant background; a tie goes to the
    background. A class whose map is nowhere positive gets no pixel.

    Args:
        cam (np.ndarray): CAMs of the present classes (K, H, W) in [0, 1].
        classes (np.ndarray): Their indices (K,), without background.
        threshold (float): Score of the background, in [0, 1].
        ignore_threshold (float, optional): Lower score of the background.
            What is background at ``threshold`` but not here becomes void
            (255). Defaults to None: no ignore band.
        image (np.ndarray, optional): RGB image (H, W, 3) uint8, for the
            refiner.
        refiner (Callable, optional): A :class:`BaseRefiner`.
        background_alpha (float, optional): If given, the background scores
            ``(1 - max_c cam_c) ** background_alpha`` instead of
            ``threshold``.

    Returns:
        np.ndarray: (H, W) uint8: 0 background, c + 1 class c, 255 void.

    Raises:
        ValueError: If the thresholds contradict each other, or a class index
            does not fit into a label map.
    """
    check_thresholds(threshold, ignore_threshold, background_alpha)
    cam = np.asarray(cam, np.float32)
    classes = np.asarray(classes, np.int64)
    if classes.max(initial=0) + 1 >= VOID:
        raise ValueError(f'Class {classes.max()} does not fit: a label map '
                         'holds at most 254 classes.')
    alive = cam.max((1, 2), initial=0) > 0
    cam = cam[alive]
    values = np.concatenate([[0], classes[alive] + 1]).astype(np.uint8)
    if not alive.any():
        return np.zeros(cam.shape[1:], np.uint8)

    def label_at(level: float) -> np.ndarray:
        if background_alpha is None:
            background = np.full_like(cam[0], level)
        else:
            background = (1 - cam.max(0))**background_alpha
        scores = np.concatenate([background[None], cam])
        if refiner is not None:
            scores = refiner(image, scores)
        return values[scores.argmax(0)]

    label = label_at(threshold)
    if ignore_threshold is not None:
        label[(label == 0) & (label_at(ignore_threshold) > 0)] = VOID
    return label


def check_thresholds(threshold: float,
                     ignore_threshold: Optional[float] = None,
                     background_alpha: Optional[float] = None) -> None:
    """Refuses settings of :func:`make_label` that make no sense.

    Raises:
        ValueError: With one sentence that says which.
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f'The threshold must lie in [0, 1], got {threshold}.')
    if ignore_threshold is not None:
        if background_alpha is not None:
            raise ValueError('An ignore band needs a constant background: '
                             'give ignore_threshold or background_alpha.')
        if not 0 <= ignore_threshold < threshold:
            raise ValueError(
                f'ignore_threshold ({ignore_threshold}) must be lower than '
                f'threshold ({threshold}).')
