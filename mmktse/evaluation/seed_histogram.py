# Copyright (c) mmktse authors. All rights reserved.
from typing import Optional, Sequence

import numpy as np
import torch
from mmengine.dist import all_reduce

from mmktse.seeds.label_io import VOID
from .rates import segmentation_rates


class SeedHistogram:
    """Counts from which the quality of seeds follows at all thresholds.

    A pixel is labelled with its strongest class where that class scores more
    than the threshold, and with background elsewhere (also where it equals
    it). So the joint counts of (true class, strongest class, thresholds
    exceeded) are all that is needed; images need not be kept.

    Args:
        num_classes (int): Number of classes N without background.
        thresholds (Sequence[float], optional): Thresholds to report. Defaults
            to 0.00, 0.01, ... 1.00.
    """

    def __init__(self,
                 num_classes: int,
                 thresholds: Optional[Sequence[float]] = None) -> None:
        if thresholds is None:
            thresholds = np.arange(101) / 100
        self.thresholds = np.unique(np.asarray(thresholds, np.float64))
        self.num_classes = num_classes
        self.counts = np.zeros(
            (num_classes + 1, num_classes, len(self.thresholds) + 1), np.int64)

    def count(self, truth: np.ndarray, cam: np.ndarray,
              classes: np.ndarray) -> np.ndarray:
        """Counts of one image, to be added to or taken from ``counts``.

        Args:
            truth (np.ndarray): Label map (H, W), 255 is left out.
            cam (np.ndarray): CAMs (K, H, W) in [0, 1].
            classes (np.ndarray): Class indices (K,).

        Returns:
            np.ndarray: (N + 1, N, T + 1) int64.
        """
        keep = truth != VOID
        truth = truth[keep].astype(np.int64)
        if len(classes):
            # A running maximum: much faster than argmax over few classes.
            score = np.array(cam[0], np.float32)
            top = np.full(score.shape, classes[0], np.int64)
            for index, values in zip(classes[1:], cam[1:]):
                better = values > score
                top[better] = index
                score[better] = values[better]
            top, score = top[keep], score[keep]
            # Compared in float32, in which scores are stacked with a constant.
            level = np.searchsorted(self.thresholds.astype(np.float32), score)
        else:
            top = level = np.zeros_like(truth)
        shape = self.counts.shape
        index = np.ravel_multi_index((truth, top, level), shape)
        return np.bincount(index, minlength=self.counts.size).reshape(shape)

    def merge_ranks(self) -> None:
        """Adds up the counts of all processes."""
        counts = torch.from_numpy(self.counts)
        all_reduce(counts)
        self.counts = counts.numpy()

    def rates(self, absent_as_zero: bool = False) -> dict:
        """Rates in percent at every threshold.

        Returns:
            dict: 'threshold' (T,), 'mIoU' (T,), 'precision' (T,), 'recall'
            (T,) and 'IoU' (N + 1, T), background first.
        """
        # above[y, c, t]: pixels of true class y labelled c at threshold t.
        above = self.counts[..., ::-1].cumsum(-1)[..., ::-1][..., 1:]
        per_truth = self.counts.sum((1, 2))
        truth = np.repeat(per_truth[:, None], len(self.thresholds), 1)
        left = truth - above.sum(1)
        own = np.arange(self.num_classes)
        hit = np.concatenate([left[:1], above[own + 1, own]])
        predicted = np.concatenate([left.sum(0)[None], above.sum(0)])
        return dict(
            threshold=self.thresholds,
            **segmentation_rates(hit, truth, predicted, absent_as_zero))
