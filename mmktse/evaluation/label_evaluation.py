# Copyright (c) mmktse authors. All rights reserved.
from pathlib import Path
from typing import Union

import numpy as np
from mmengine.utils import track_iter_progress

from mmktse.seeds.label_io import VOID, load_label_map
from .rates import segmentation_rates
from .seed_metric import read_truth


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
    confusion = np.zeros((len(names), len(names)), np.int64)
    known = 0
    for index in track_iter_progress(range(len(dataset))):
        sample = dataset.get_data_info(index)
        label = load_label_map(
            Path(label_dir) / f'{sample["img_id"]}.png',
            num_classes=len(names) - 1)
        truth = read_truth(sample, label.shape, len(names) - 1)
        known += int((truth != VOID).sum())
        keep = (truth != VOID) & (label != VOID)
        pairs = truth[keep].astype(np.int64) * len(names) + label[keep]
        confusion += np.bincount(
            pairs, minlength=confusion.size).reshape(confusion.shape)
    rates = segmentation_rates(confusion.diagonal(), confusion.sum(1),
                               confusion.sum(0), absent_as_zero)
    iou = rates.pop('IoU')
    return dict(
        **{
            key: float(value)
            for key, value in rates.items()
        },
        coverage=100 * int(confusion.sum()) / max(known, 1),
        per_class=dict(zip(names, iou.tolist())))
