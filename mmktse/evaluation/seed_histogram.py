# Copyright (c) mmktse authors. All rights reserved.
from typing import Optional, Sequence

import numpy as np
import torch
from mmengine.dist import all_reduce

from mmktse.seeds.label_io import VOID
from .rates import segmentation_rates

# Cells of equal width into which [0, 1] is divided to find thresholds.
_CELLS = 1024


class SeedHistogram:
    """Counts from which the quality of seeds follows at all thresholds.

    A pixel is labelled with its strongest class where that class scores more
    than the threshold, and with background elsewhere (also where it equals
    it). So it is enough to count pixels by the thresholds that they exceed,
    for each true class, for each strongest class and where the two agree;
    images need not be kept, and memory is linear in the number of classes.

    Args:
        num_classes (int): Number of classes N without background.
        thresholds (Sequence[float], optional): Thresholds to report. Defaults
            to 0.00, 0.01, ... 1.00.

    Attributes:
        counts (np.ndarray): (3, N + 1, T + 1) int64: pixels of each true
            class, of each strongest class, and those where they agree, by the
            number of thresholds exceeded. The first class is background,
            which is never the strongest.
    """

    def __init__(self,
                 num_classes: int,
                 thresholds: Optional[Sequence[float]] = None) -> None:
        if thresholds is None:
            thresholds = np.arange(101) / 100
        self.thresholds = np.unique(np.asarray(thresholds, np.float64))
        self.num_classes = num_classes
        self.counts = np.zeros((3, num_classes + 1, len(self.thresholds) + 1),
                               np.int64)
        # Compared in float32, in which scores are stacked with a constant.
        limits = self.thresholds.astype(np.float32)
        edges = np.arange(_CELLS + 1, dtype=np.float32) / _CELLS
        self._below = np.searchsorted(limits, edges).astype(np.int32)
        self._most = np.diff(self._below, append=len(limits)).max()
        self._limits = np.append(limits, np.float32(np.inf))

    def _levels(self, score: np.ndarray) -> np.ndarray:
        """Number of thresholds that scores exceed, as np.searchsorted finds.

        Several times faster: the thresholds below the cell of a score are
        known, and those within it, mostly one, are compared.
        """
        cell = (score * _CELLS).astype(np.int32)
        level = self._below.take(cell, mode='clip')
        for _ in range(self._most):
            level += score > self._limits[level]
        return level

    def count(self, truth: np.ndarray, cam: np.ndarray,
              classes: np.ndarray) -> np.ndarray:
        """Counts of one image, to be added to or taken from ``counts``.

        Args:
            truth (np.ndarray): Label map (H, W), 255 is left out.
            cam (np.ndarray): CAMs (K, H, W) in [0, 1].
            classes (np.ndarray): Class indices (K,).

        Returns:
            np.ndarray: (3, N + 1, T + 1) int64.
        """
        num_maps, num_levels = max(len(classes), 1), self.counts.shape[2]
        index = truth.astype(np.int32) * num_maps
        level = 0
        if len(classes):
            # A running maximum: much faster than argmax over few classes.
            score = np.array(cam[0], np.float32)
            top = np.zeros(score.shape, np.int32)
            for place, values in enumerate(cam[1:], 1):
                np.putmask(top, values > score, place)
                np.maximum(score, values, out=score)
            index += top
            level = self._levels(score)
        index *= num_levels
        index += level
        shape = (max(self.num_classes + 2, VOID + 1), num_maps, num_levels)
        joint = np.bincount(
            index.ravel(), minlength=np.prod(shape)).reshape(shape)
        joint[VOID] = 0
        joint = joint[:self.num_classes + 1]
        counts = np.zeros_like(self.counts)
        counts[0] = joint.sum(1)
        places = np.asarray(classes, np.int64) + 1
        counts[1, places] = joint.sum(0)[:len(places)]
        counts[2, places] = joint[places, np.arange(len(places))]
        return counts

    def merge_ranks(self) -> None:
        """Adds up the counts of all processes."""
        counts = torch.from_numpy(self.counts)
        all_reduce(counts)
        self.counts = counts.numpy()

    def rates(self, absent_as_zero: bool = False) -> dict:
        """Rates in percent at every threshold.

        Returns:
            dict: 'threshold' (T,), 'IoU' (N + 1, T), background first, and
            the means of :func:`segmentation_rates`, each (T,).
        """
        # Pixels above each threshold, (3, N + 1, T).
        above = self.counts[..., ::-1].cumsum(-1)[..., ::-1][..., 1:]
        per_truth = self.counts[0].sum(-1)
        truth = np.repeat(per_truth[:, None], len(self.thresholds), 1)
        predicted, hit = above[1], above[2]
        predicted[0] = per_truth.sum() - predicted.sum(0)
        hit[0] = truth[0] - above[0, 0]
        return dict(
            threshold=self.thresholds,
            **segmentation_rates(hit, truth, predicted, absent_as_zero))
