# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict

import numpy as np


def class_rates(hit: np.ndarray, truth: np.ndarray,
                predicted: np.ndarray) -> Dict[str, np.ndarray]:
    """IoU, precision and recall of every class from pixel counts.

    Args:
        hit (np.ndarray): Correctly labelled pixels per class (C, ...).
        truth (np.ndarray): Pixels of each class in the truth, same shape.
        predicted (np.ndarray): Pixels given to each class, same shape.

    Returns:
        dict[str, np.ndarray]: 'IoU', 'precision' and 'recall' (C, ...) in
        percent, NaN where there is no pixel (0 / 0).
    """

    def rate(count: np.ndarray) -> np.ndarray:
        with np.errstate(invalid='ignore'):
            return 100 * np.divide(hit, count, dtype=np.float64)

    return dict(
        IoU=rate(truth + predicted - hit),
        precision=rate(predicted),
        recall=rate(truth))


def segmentation_rates(hit: np.ndarray,
                       truth: np.ndarray,
                       predicted: np.ndarray,
                       absent_as_zero: bool = False) -> Dict[str, np.ndarray]:
    """IoU, precision and recall from pixel counts.

    Args:
        hit, truth, predicted (np.ndarray): See :func:`class_rates`.
        absent_as_zero (bool): Whether a rate without any pixel (0 / 0) counts
            as 0 in the mean, as in the published evaluation, or is left out
            of it. Defaults to False.

    Returns:
        dict[str, np.ndarray]: In percent: 'IoU' (C, ...) with NaN where there
        is no pixel, and the means over the classes 'mIoU', 'precision' and
        'recall' (...); 'fg_precision' and 'fg_recall' are those of the
        objects alone, without the first class, the background. Where objects
        take more of the image, recall of the background falls.
    """

    def mean(value: np.ndarray) -> np.ndarray:
        if absent_as_zero:
            return np.nan_to_num(value, nan=0.0).mean(0)
        known = ~np.isnan(value)
        return np.where(known, value, 0).sum(0) / known.sum(0).clip(1)

    rates = class_rates(hit, truth, predicted)
    return dict(
        IoU=rates['IoU'],
        mIoU=mean(rates['IoU']),
        precision=mean(rates['precision']),
        recall=mean(rates['recall']),
        fg_precision=mean(rates['precision'][1:]),
        fg_recall=mean(rates['recall'][1:]))
