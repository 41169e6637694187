# Copyright (c) mmktse authors. All rights reserved.
import os.path as osp
from typing import List, Optional, Sequence

import numpy as np
from mmengine.utils import track_iter_progress

from mmktse.evaluation.seed_metric import read_truth
from mmktse.seeds import load_label_map, load_seed, make_label
from mmktse.seeds.label_io import VOID
from mmktse.seeds.manifest import LABELS, SEEDS

ORDERS = ('random', 'worst', 'best', 'gains', 'losses')


def _find(folder: str, part: str, suffix: str, img_id: str) -> str:
    """Path of an image's file in ``folder``, or in its subfolder ``part``."""
    inner = osp.join(folder, part)
    return osp.join(inner if osp.isdir(inner) else folder, img_id + suffix)


class RunSource:
    """What one run says about an image: a label map, or the bare CAM.

    Args:
        title (str): Name of the run on pages.
        folder (str): Pseudo-label folder (``SegmentationClass/ID.png``,
            ``seeds/ID.npz``), or a folder that holds such files itself.
        show (str | float, optional): 'label': the stored label maps; 'cam':
            the stored CAMs; a number in [0, 1]: label maps made from the
            stored CAMs at this threshold, without refinement. Defaults to
            'label'.
    """

    def __init__(self, title: str, folder: str, show='label') -> None:
        if not osp.isdir(folder):
            raise FileNotFoundError(
                f'Folder {folder} of the run "{title}" does not exist.')
        if show not in ('label', 'cam'):
            try:
                show = float(show)
            except ValueError:
                show = -1.
            if not 0 <= show <= 1:
                raise ValueError(f'Run "{title}": show must be "label", "cam" '
                                 'or a threshold in [0, 1].')
        self.title, self.folder, self.show = title, folder, show

    @classmethod
    def parse(cls, text: str) -> 'RunSource':
        """Read ``TITLE=FOLDER``, ``TITLE=FOLDER@cam`` or ``...@0.3``."""
        title, found, folder = text.partition('=')
        if not found or not title or not folder:
            raise ValueError(f'Run "{text}" must read TITLE=FOLDER, '
                             'TITLE=FOLDER@cam or TITLE=FOLDER@THRESHOLD.')
        if osp.isdir(folder) or '@' not in folder:
            return cls(title, folder)
        folder, _, show = folder.rpartition('@')
        return cls(title, folder, show)

    def path(self, img_id: str) -> str:
        """File in which this run keeps the image."""
        if self.show == 'label':
            return _find(self.folder, LABELS, '.png', img_id)
        return _find(self.folder, SEEDS, '.npz', img_id)

    def has(self, img_id: str) -> bool:
        """Whether the run has the image."""
        return osp.isfile(self.path(img_id))

    def cam(self, img_id: str):
        """CAMs (K, H, W) float32 and class indices (K,)."""
        return load_seed(self.path(img_id))

    def label(self, img_id: str) -> Optional[np.ndarray]:
        """Label map (H, W) uint8, None for a run of bare CAMs."""
        if self.show == 'cam':
            return None
        if self.show == 'label':
            return load_label_map(self.path(img_id))
        return make_label(*self.cam(img_id), self.show)


def image_iou(label: np.ndarray, truth: np.ndarray) -> float:
    """Mean IoU of one image.

    Args:
        label (np.ndarray): (H, W) uint8.
        truth (np.ndarray): (H, W) uint8. Pixels void in either are left out.

    Returns:
        float: Percent, mean over the classes, background included, that occur
        in either map; NaN if every pixel is void.
    """
    if label.shape != truth.shape:
        raise ValueError(
            f'label map {label.shape} and truth {truth.shape} differ in size')
    keep = (label != VOID) & (truth != VOID)
    label, truth = label[keep], truth[keep]
    ious = [
        np.sum((label == c) & (truth == c)) /
        np.sum((label == c) | (truth == c)) for c in np.union1d(label, truth)
    ]
    return float(100 * np.mean(ious)) if ious else float('nan')


def select_samples(dataset,
                   num: int = 8,
                   img_ids: Optional[Sequence[str]] = None,
                   seed: int = 0,
                   order: str = 'random',
                   runs: Optional[Sequence[RunSource]] = None) -> List[dict]:
    """Choose the images of a page.

    Args:
        dataset (BaseDataset): Gives 'img_id', 'img_path' and, where there is
            one, 'seg_map_path'.
        num (int): How many, if ``img_ids`` does not say. Defaults to 8.
        img_ids (sequence[str], optional): The very images, in this order.
        seed (int): Seed of the random choice. Defaults to 0.
        order (str): 'random'; 'worst' or 'best' by the IoU of each image in
            the first run that has label maps; 'gains' or 'losses' of the last
            such run over the first. Defaults to 'random'.
        runs (sequence[RunSource], optional): What the page will show. Chosen
            from are the images that all of these runs have; images without
            truth can be chosen at random only.

    Returns:
        list[dict]: Samples of the dataset.
    """
    runs = runs or ()
    samples = {}
    for index in range(len(dataset)):
        sample = dataset.get_data_info(index)
        samples[sample['img_id']] = sample
    if img_ids:
        unknown = [img_id for img_id in img_ids if img_id not in samples]
        if unknown:
            raise ValueError(f'{unknown[0]} is not an image of the data set.')
        return [samples[img_id] for img_id in img_ids]
    names = sorted(
        name for name in samples if all(run.has(name) for run in runs))
    if not names:
        for run in runs:
            if not any(run.has(name) for name in samples):
                raise FileNotFoundError(
                    f'The run "{run.title}" has none of the {len(samples)} '
                    f'images (looked for {run.path(next(iter(samples)))}).')
        raise ValueError('There is no image that all the runs have.'
                         if samples else 'The data set is empty.')
    if order == 'random':
        chosen = np.random.default_rng(seed).permutation(len(names))[:num]
        return [samples[names[i]] for i in sorted(chosen)]
    if order not in ORDERS:
        raise ValueError(f'order must be one of {ORDERS}, not {order}')
    ranked = [run for run in runs if run.show != 'cam']
    compared = order in ('gains', 'losses')
    if len(ranked) < 1 + compared:
        raise ValueError(f'order "{order}" needs ' +
                         ('two runs' if compared else 'a run') +
                         ' with label maps')
    scored = []
    for name in track_iter_progress(names):
        truth = read_truth(samples[name], required=False)
        if truth is not None:
            score = image_iou(ranked[0].label(name), truth)
            if compared:
                score = image_iou(ranked[-1].label(name), truth) - score
            if not np.isnan(score):
                scored.append((score, name))
    if not scored:
        raise ValueError(f'order "{order}" needs masks of the ground truth; '
                         'the data set has none.')
    scored.sort(reverse=order in ('best', 'gains'))
    return [samples[name] for _, name in scored[:num]]
