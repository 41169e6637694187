# Copyright (c) mmktse authors. All rights reserved.
from pathlib import Path
from typing import Union

import numpy as np
from mmengine.utils import track_iter_progress

from mmktse.seeds.label_io import VOID, load_label_map
from .rates import segmentation_rates
from .seed_metric import read_truth


def count_label_pixels(label: np.ndarray, truth: np.ndarray,
                       num_classes: int) -> np.ndarray:
    """Counts of one image from which all rates of label maps follow.

    Args:
        label (np.ndarray): Label map (H, W) uint8.
        truth (np.ndarray): Mask (H, W) uint8; void is left out.
        num_classes (int): Number of classes N without background.

    Returns:
        np.ndarray: (N + 1, N + 2) int64, pixels of true class y (background
        first) that are labelled c; the last column are those labelled void.
    """
    shape = (num_classes + 1, num_classes + 2)
    keep = truth != VOID
    column = label[keep].astype(np.int64)
    column[column == VOID] = num_classes + 1
    pairs = truth[keep].astype(np.int64) * shape[1] + column
    return np.bincount(pairs, minlength=shape[0] * shape[1]).reshape(shape)


def label_rates(counts: np.ndarray, absent_as_zero: bool = False) -> dict:
    """Rates of label maps from the counts of their pixels.

    Args:
        counts (np.ndarray): Sum of :func:`count_label_pixels`.
        absent_as_zero (bool): See :func:`segmentation_rates`.

    Returns:
        dict: 'mIoU', 'precision', 'recall' and 'coverage' (how much of the
        truth is not labelled void) in percent, and 'IoU' (N + 1,).
    """
    confusion = counts[:, :-1]
    rates = segmentation_rates(confusion.diagonal(), confusion.sum(1),
                               confusion.sum(0), absent_as_zero)
    return dict(
        IoU=rates['IoU'],
        **{key: float(rates[key])
           for key in ('mIoU', 'precision', 'recall')},
        coverage=100 * int(confusion.sum()) / max(int(counts.sum()), 1))


def evaluate_labels(label_dir: Union[str, Path],
                    dataset,
                    absent_as_zero: bool = False) -> dict:
    """Measures a folder of label maps against the masks of a dataset.

    Pixels that are void in either map are left out; 'coverage' says how much
    of the truth is left.

    Args:
        label_dir (str | Path): Folder with ``<id>.png``.
        dataset (BaseDataset): Gives 'img_id' and 'seg_map_path' of the
            images, and the classes in its metainfo.
        absent_as_zero (bool): Whether a class without any pixel counts as 0
            in the means. Defaults to False: it is left out.

    Returns:
        dict: 'mIoU', 'precision', 'recall', 'coverage' in percent, and
        'per_class', the IoU by class name, background first.
    """
    names = ('background', *dataset.metainfo['classes'])
    counts = np.zeros((len(names), len(names) + 1), np.int64)
    for index in track_iter_progress(range(len(dataset))):
        sample = dataset.get_data_info(index)
        label = load_label_map(
            Path(label_dir) / f'{sample["img_id"]}.png',
            num_classes=len(names) - 1)
        truth = read_truth(sample, label.shape, len(names) - 1)
        counts += count_label_pixels(label, truth, len(names) - 1)
    rates = label_rates(counts, absent_as_zero)
    iou = rates.pop('IoU')
    return dict(rates, per_class=dict(zip(names, iou.tolist())))
