# Copyright (c) mmktse authors. All rights reserved.
from typing import Callable, Optional, Tuple

import numpy as np

from .label_io import MAX_CLASSES, VOID


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
    return make_label_and_confidence(
        cam,
        classes,
        threshold,
        ignore_threshold=ignore_threshold,
        image=image,
        refiner=refiner,
        background_alpha=background_alpha)[0]


def make_label_and_confidence(
    cam: np.ndarray,
    classes: np.ndarray,
    threshold: float,
    ignore_threshold: Optional[float] = None,
    image: Optional[np.ndarray] = None,
    refiner: Optional[Callable] = None,
    background_alpha: Optional[float] = None,
    confidence_share: Optional[float] = None
) -> Tuple[np.ndarray, Optional[np.ndarray]]:
    """Label map of one image, and where it is to be trusted.

    Args:
        cam (np.ndarray): See :func:`make_label`, as for the next six.
        classes (np.ndarray): Class indices.
        threshold (float): Score of the background.
        ignore_threshold (float, optional): Lower score of the background.
        image (np.ndarray, optional): RGB image.
        refiner (Callable, optional): A :class:`BaseRefiner`.
        background_alpha (float, optional): Power of the background.
        confidence_share (float, optional): See :func:`confidence_mask`; the
            scores are those at ``threshold``. Defaults to None: no mask.

    Returns:
        tuple[np.ndarray, np.ndarray | None]: Label map (H, W) uint8 and mask
        (H, W) bool. Where background stands alone the mask is all true if
        the image has no class, and all false if its classes have no map.
    """
    check_thresholds(threshold, ignore_threshold, background_alpha,
                     confidence_share)
    cam = np.asarray(cam, np.float32)
    classes = np.asarray(classes, np.int64)
    if classes.max(initial=0) >= MAX_CLASSES:
        raise ValueError(f'Class {classes.max()} does not fit: a label map '
                         f'holds at most {MAX_CLASSES} classes.')
    alive = cam.max((1, 2), initial=0) > 0
    cam = cam[alive]
    values = np.concatenate([[0], classes[alive] + 1]).astype(np.uint8)
    if not alive.any():
        label = np.zeros(cam.shape[1:], np.uint8)
        sure = np.full(label.shape, len(classes) == 0)
        return label, None if confidence_share is None else sure

    def scores_at(level: float) -> np.ndarray:
        if background_alpha is None:
            background = np.full_like(cam[0], level)
        else:
            background = (1 - cam.max(0))**background_alpha
        scores = np.concatenate([background[None], cam])
        return scores if refiner is None else refiner(image, scores)

    scores = scores_at(threshold)
    label = values[scores.argmax(0)]
    if ignore_threshold is not None:
        label[(label == 0)
              & (scores_at(ignore_threshold).argmax(0) > 0)] = VOID
    if confidence_share is None:
        return label, None
    return label, confidence_mask(scores, label, confidence_share)


def confidence_mask(scores: np.ndarray,
                    label: np.ndarray,
                    share: float = 0.5) -> np.ndarray:
    """The surest pixels of every predicted class.

    A pixel is the surer the further its best score is above the second. KTSE
    hands such masks to the segmentation stage.

    Args:
        scores (np.ndarray): Scores (K + 1, H, W), background included.
        label (np.ndarray): Label map (H, W) made from them, with one value
            for each class. Void (255) is never sure.
        share (float): Of the n pixels of a class, floor(n * share) are taken.
            Among equals the first in reading order are. Defaults to 0.5.

    Returns:
        np.ndarray: (H, W) bool.
    """
    second, first = np.partition(scores, -2, axis=0)[-2:]
    doubt = (second - first).ravel()
    mask = np.zeros(label.size, bool)
    for value in np.setdiff1d(label, [VOID]):
        pixels = np.flatnonzero(label == value)
        order = np.argsort(doubt[pixels], kind='stable')
        mask[pixels[order[:int(len(pixels) * share)]]] = True
    return mask.reshape(label.shape)


def check_thresholds(threshold: float,
                     ignore_threshold: Optional[float] = None,
                     background_alpha: Optional[float] = None,
                     confidence_share: Optional[float] = None) -> None:
    """Refuses settings of the labels that make no sense.

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
    if confidence_share is not None and not 0 < confidence_share <= 1:
        raise ValueError('confidence_share must lie in (0, 1], got '
                         f'{confidence_share}.')
