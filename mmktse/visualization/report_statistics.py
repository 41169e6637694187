# Copyright (c) mmktse authors. All rights reserved.
from bisect import insort
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
from mmengine.utils import track_iter_progress

from mmktse.evaluation.label_evaluation import count_label_pixels, label_rates
from mmktse.evaluation.rates import class_rates
from mmktse.evaluation.seed_histogram import SeedHistogram
from mmktse.evaluation.seed_metric import read_truth, summarize, with_fixed
from mmktse.seeds.label_io import VOID, load_label_map
from mmktse.seeds.manifest import label_path, seed_path
from mmktse.seeds.seed_io import load_seed


class Example(NamedTuple):
    """An image of a gallery.

    Attributes:
        index (int): Its place in the data set.
        figures (dict[str, float]): What is said about it, in percent.
    """
    index: int
    figures: Dict[str, float]


class FirstExamples:
    """Keeps the images with the smallest keys, forgets all others.

    Args:
        size (int): How many to keep.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._kept: List[tuple] = []

    def add(self, key: tuple, example: Example) -> None:
        """Offers an image.

        Args:
            key (tuple): What images are ordered by; the index breaks ties.
            example (Example): The image.
        """
        insort(self._kept, (key, *example))
        del self._kept[self.size:]

    def examples(self, without: Sequence[Example] = ()) -> List[Example]:
        """The images in order, but for those that stand elsewhere already."""
        taken = {example.index for example in without}
        return [
            Example(index, figures) for _, index, figures in self._kept
            if index not in taken
        ]


class ReportStatistics:
    """What a report says about a run, gathered image by image.

    Only counts and, for each class, a few images are kept, whatever the size
    of the data set.

    Args:
        num_classes (int): Number of classes N without background.
        threshold (float): Threshold in use, to be among those measured.
        examples (int): Images to keep for each gallery.
        seed (int): Seed of the random choice. Defaults to 0.

    Attributes:
        num_images (int): Images seen.
        num_measured (int): Those of them that have a mask.
        tagged (np.ndarray): Images (N + 1,) that show each class by their
            image-level label; without one, by their label map.
        missed (np.ndarray): Those of them (N + 1,) without a pixel of it.
        pixels (np.ndarray): Pixels (N + 2,) given to each class, void last.
        counts (np.ndarray): Sum of :func:`count_label_pixels`.
        histogram (SeedHistogram | None): Counts of the seeds.
        num_unlabelled (int): Images whose label map shows no class.
        galleries (dict): By kind, for each class, :class:`FirstExamples`.
        unlabelled, ignored (FirstExamples): Images without any class, and
            those with the largest share of void.
    """

    def __init__(self,
                 num_classes: int,
                 threshold: float,
                 examples: int,
                 seed: int = 0) -> None:
        self.num_classes = num_classes
        self.threshold = threshold
        self.num_images = self.num_measured = self.num_unlabelled = 0
        self.tagged = np.zeros(num_classes + 1, np.int64)
        self.missed = np.zeros(num_classes + 1, np.int64)
        self.pixels = np.zeros(num_classes + 2, np.int64)
        self.counts = np.zeros((num_classes + 1, num_classes + 2), np.int64)
        self.histogram: Optional[SeedHistogram] = None
        self.galleries = {
            kind: [FirstExamples(examples) for _ in range(num_classes)]
            for kind in ('worst', 'best', 'smallest', 'largest', 'random')
        }
        self.unlabelled = FirstExamples(examples)
        self.ignored = FirstExamples(examples)
        self._random = np.random.default_rng(seed)

    def add(self,
            index: int,
            label: np.ndarray,
            tags: Optional[Sequence[int]] = None,
            truth: Optional[np.ndarray] = None,
            seed: Optional[Tuple[np.ndarray, np.ndarray]] = None) -> None:
        """Counts an image.

        Args:
            index (int): Its place in the data set.
            label (np.ndarray): Label map (H, W) uint8.
            tags (sequence[int], optional): Classes of its image-level label.
            truth (np.ndarray, optional): Mask (H, W) uint8.
            seed (tuple, optional): CAMs (K, H, W) and class indices (K,).
        """
        size = self.num_classes + 1
        pixels = np.bincount(label.ravel(), minlength=256)
        pixels = np.append(pixels[:size], pixels[VOID])
        self.num_images += 1
        self.pixels += pixels
        if tags is None:
            tags = np.flatnonzero(pixels[1:-1])
        shown = np.concatenate([[0], np.asarray(tags, np.int64) + 1])
        self.tagged[shown] += 1
        self.missed[shown] += pixels[shown] == 0
        share = 100 * pixels / label.size
        if not pixels[1:-1].any():
            self.num_unlabelled += 1
            self.unlabelled.add((), Example(index, dict(ignored=share[-1])))
        if pixels[-1]:
            self.ignored.add((-share[-1], ),
                             Example(index, dict(ignored=share[-1])))
        for c in np.asarray(tags, np.int64):
            example = Example(index,
                              dict(share=share[c + 1], ignored=share[-1]))
            for kind, key in (('smallest', share[c + 1]), ('largest',
                                                           -share[c + 1]),
                              ('random', self._random.random())):
                self.galleries[kind][c].add((key, ), example)
        if truth is not None:
            self._add_measured(index, label, truth, seed, share[-1])

    def _add_measured(self, index: int, label: np.ndarray, truth: np.ndarray,
                      seed: Optional[tuple], ignored: float) -> None:
        self.num_measured += 1
        counts = count_label_pixels(label, truth, self.num_classes)
        self.counts += counts
        if seed is not None:
            if self.histogram is None:
                self.histogram = SeedHistogram(
                    self.num_classes, with_fixed(None, self.threshold))
            self.histogram.counts += self.histogram.count(truth, *seed)
        confusion = counts[:, :-1]
        hit, true = confusion.diagonal(), confusion.sum(1)
        labelled = confusion.sum(0)
        rates = class_rates(hit, true, labelled)
        union = true + labelled - hit
        for c in np.flatnonzero(union[1:]):
            figures = {key: rate[c + 1] for key, rate in rates.items()}
            example = Example(index, dict(figures, ignored=ignored))
            # Of equal ones the largest object says most.
            size = -union[c + 1]
            self.galleries['worst'][c].add((figures['IoU'], size), example)
            self.galleries['best'][c].add((-figures['IoU'], size), example)

    def seed_summary(self) -> Optional[dict]:
        """What :func:`summarize` says, 'fixed' being the threshold in use."""
        if self.histogram is None:
            return None
        return summarize(self.histogram, self.threshold)

    def label_rates(self) -> dict:
        """See :func:`mmktse.evaluation.label_evaluation.label_rates`."""
        return label_rates(self.counts)

    def class_rates(self) -> Dict[str, np.ndarray]:
        """IoU, precision and recall (N + 1,) of the labels in percent."""
        confusion = self.counts[:, :-1]
        return class_rates(confusion.diagonal(), confusion.sum(1),
                           confusion.sum(0))


def collect_statistics(dataset,
                       folder: Union[str, Path],
                       threshold: float,
                       seed_folder: Optional[Union[str, Path]] = None,
                       examples: int = 3) -> ReportStatistics:
    """Reads every label map, mask and seed of a run once.

    Args:
        dataset (BaseDataset): Gives 'img_id' and, where there are,
            'seg_map_path' and 'gt_label' of the images.
        folder (str | Path): Pseudo-label folder.
        threshold (float): Threshold in use.
        seed_folder (str | Path, optional): Folder whose ``seeds/<id>.npz``
            the labels were made of. Defaults to None: the seeds are not
            measured.
        examples (int): Images to keep for each gallery. Defaults to 3.

    Returns:
        ReportStatistics: Of all images.

    Raises:
        FileNotFoundError: If a label map or seed is missing.
        ValueError: If one is broken, or does not fit the others.
    """
    num_classes = len(dataset.metainfo['classes'])
    statistics = ReportStatistics(num_classes, threshold, examples)
    for index in track_iter_progress(range(len(dataset))):
        sample = dataset.get_data_info(index)
        label = load_label_map(
            label_path(folder, sample['img_id']), num_classes=num_classes)
        truth = read_truth(sample, label.shape, num_classes, required=False)
        seed = None
        # Without truth there is nothing to measure the seed against.
        if seed_folder is not None and truth is not None:
            seed = read_seed(seed_folder, sample['img_id'], label)
        statistics.add(index, label, sample.get('gt_label'), truth, seed)
    return statistics


def read_seed(folder: Union[str, Path], img_id: str,
              label: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Reads the seed that a label map was made of.

    Args:
        folder (str | Path): Pseudo-label folder that holds seeds.
        img_id (str): Id of the image.
        label (np.ndarray): Its label map (H, W).

    Returns:
        tuple[np.ndarray, np.ndarray]: See :func:`load_seed`.

    Raises:
        ValueError: If its size is another.
    """
    path = seed_path(folder, img_id)
    cam, classes = load_seed(path)
    if cam.shape[1:] != label.shape:
        raise ValueError(
            f'Seed {path} has height x width {cam.shape[1]}x{cam.shape[2]}, '
            f'the label map {label.shape[0]}x{label.shape[1]}: they are of '
            'different images; make both again.')
    return cam, classes
