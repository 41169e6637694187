# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict

import numpy as np


def segmentation_rates(hit: np.ndarray,
                       truth: np.ndarray,
                       predicted: np.ndarray,
                       absent_as_zero: bool = False) -> Dict[str, np.ndarray]:
    """IoU, precision and recall from pixel counts.

    Args:
        hit (np.ndarray): Correctly labelled pixels per class (C, ...).
        truth (np.ndarray): Pixels of each class in the truth, same shape.
        predicted (np.ndarray): Pixels given to each class, same shape.
        absent_as_zero (bool): Whether a rate without any pixel (0 / 0) counts
            as 0 in the mean, as in the published evaluation, or is left out
            of it. Defaults to False.

    Returns:
        dict[str, np.ndarray]: In percent: 'IoU' (C, ...) with NaN where there
        is no pixel, and the means over the classes 'mIoU', 'precision' and
        'recall' (...).
    """

    def rate(count: np.ndarray) -> np.ndarray:
        with np.errstate(invalid='ignore'):
            return 100 * np.divide(hit, count, dtype=np.float64)

    def mean(value: np.ndarray) -> np.ndarray:
        if absent_as_zero:
            return np.nan_to_num(value, nan=0.0).mean(0)
        known = ~np.isnan(value)
        return np.where(known, value, 0).sum(0) / known.sum(0).clip(1)

    iou = rate(truth + predicted - hit)
    return dict(
        IoU=iou,
        mIoU=mean(iou),
        precision=mean(rate(predicted)),
        recall=mean(rate(truth)))
