# Copyright (c) mmktse authors. All rights reserved.
import logging
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Callable, Iterator, List, Optional, Sequence, Union

import numpy as np
import torch
from mmengine.dist import all_gather_object, get_dist_info, is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmengine.utils import ProgressBar

from mmktse.registry import METRICS
from mmktse.seeds.label_io import load_label_map
from mmktse.seeds.seed_io import load_seed
from mmktse.utils import share_of_cores, worker_pool
from .seed_histogram import SeedHistogram

# Images that are counted between two steps of the progress bar.
_CHUNK = 32
# Images that make up for the seconds in which a worker process starts.
_WORTH_A_WORKER = 256


def summarize(histogram: SeedHistogram,
              fixed_threshold: float,
              absent_as_zero: bool = False) -> dict:
    """Rates at the best and at a fixed threshold, and the whole curve.

    Args:
        histogram (SeedHistogram): Counts of all images.
        fixed_threshold (float): One of the histogram's thresholds.
        absent_as_zero (bool): See :func:`segmentation_rates`.

    Returns:
        dict: 'oracle' (best on the very images measured) and 'fixed', each
        with 'threshold', the list 'IoU', background first, and the means of
        :func:`segmentation_rates`; 'curve' with 'threshold' and those means
        as lists. Rates in percent.
    """
    rates = histogram.rates(absent_as_zero)
    iou = rates.pop('IoU')
    places = dict(
        oracle=int(rates['mIoU'].argmax()),
        fixed=int(np.abs(rates['threshold'] - fixed_threshold).argmin()))
    result = {
        name: {
            **{
                key: float(value[place])
                for key, value in rates.items()
            }, 'IoU': iou[:, place].tolist()
        }
        for name, place in places.items()
    }
    result['curve'] = {key: value.tolist() for key, value in rates.items()}
    return result


def read_truth(sample: dict,
               size: Optional[Sequence[int]] = None,
               num_classes: Optional[int] = None,
               required: bool = True) -> Optional[np.ndarray]:
    """Reads the mask (H, W) that belongs to a sample.

    Args:
        sample (dict): With 'img_id' and 'seg_map_path'.
        size (Sequence[int], optional): Expected (H, W).
        num_classes (int, optional): Number of classes without background, to
            refuse other values.
        required (bool): If False, a sample without mask gives None. Defaults
            to True.

    Raises:
        FileNotFoundError: If the sample has no mask.
    """
    path = sample.get('seg_map_path')
    if path is None or not Path(path).is_file():
        if not required:
            return None
        raise FileNotFoundError(
            f'Image {sample.get("img_id")} has no mask ({path}), which '
            'measuring needs. Add the masks, set data_prefix.seg_map_path, or '
            'switch the evaluation off.')
    return load_label_map(path, size, num_classes)


def with_fixed(thresholds: Optional[Sequence[float]],
               fixed: float) -> np.ndarray:
    """Thresholds, by default 0.00, 0.01, ... 1.00, with a fixed one."""
    thresholds = np.arange(101) / 100 if thresholds is None else thresholds
    thresholds = np.asarray(thresholds, np.float64)
    if np.isclose(thresholds, fixed, rtol=0, atol=1e-9).any():
        return thresholds
    return np.append(thresholds, fixed)


@METRICS.register_module()
class SeedMetric(BaseMetric):
    """mIoU, precision and recall of CAMs at all thresholds, in one pass.

    Data samples carry ``cam`` (K, H, W) in [0, 1], ``cam_classes`` (K,),
    ``seg_map_path`` and ``img_id``. Only counts are kept, and added up over
    the processes. Samples that a sampler repeats to fill its last round are
    counted once; other repetitions are refused.

    Reported, in percent: ``seed/oracle/*`` at the threshold that is best on
    the very images measured, and ``seed/fixed/*`` at ``fixed_threshold``.

    Args:
        thresholds (Sequence[float], optional): Defaults to 0.00, 0.01, ...
            1.00; ``fixed_threshold`` is added.
        fixed_threshold (float): Threshold chosen beforehand. Defaults to 0.3.
        absent_as_zero (bool): Whether a class without any pixel counts as 0
            in the means, as in the published evaluation. Defaults to False:
            it is left out.
    """

    default_prefix = 'seed'

    def __init__(self,
                 thresholds: Optional[Sequence[float]] = None,
                 fixed_threshold: float = 0.3,
                 absent_as_zero: bool = False,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        self.thresholds = with_fixed(thresholds, fixed_threshold)
        self.fixed_threshold = fixed_threshold
        self.absent_as_zero = absent_as_zero
        self._reset()

    def _reset(self) -> None:
        self.histogram: Optional[SeedHistogram] = None
        self.last: Optional[np.ndarray] = None
        self.results.clear()

    def _start(self) -> SeedHistogram:
        if self.histogram is None:
            self.histogram = SeedHistogram(
                len(self.dataset_meta['classes']), self.thresholds)
        return self.histogram

    def process(self, data_batch: Optional[dict],
                data_samples: Sequence[dict]) -> None:
        """Counts a batch.

        Args:
            data_batch (dict, optional): Not used.
            data_samples (Sequence[dict]): Predictions.
        """
        histogram = self._start()
        for sample in data_samples:
            cam = _to_numpy(sample['cam'])
            if not np.isfinite(cam).all():
                raise ValueError(f'The CAM of image {sample["img_id"]} holds '
                                 'NaN or infinity.')
            truth = read_truth(sample, cam.shape[1:], histogram.num_classes)
            self.last = histogram.count(truth, cam,
                                        _to_numpy(sample['cam_classes']))
            histogram.counts += self.last
            self.results.append(sample['img_id'])

    def evaluate(self, size: int) -> dict:
        """Merges the processes and computes the metrics.

        Args:
            size (int): Not used: what was counted is known by its ids.

        Returns:
            dict: Metrics, the same on every process; empty without images.

        Raises:
            RuntimeError: If an image was counted twice.
        """
        histogram = self._start()
        ids: List[list] = all_gather_object(list(self.results))
        rank, world_size = get_dist_info()
        # Fillers come last in a process and repeat a lower one's sample.
        for other in range(1, world_size):
            earlier = {name for part in ids[:other] for name in part}
            if ids[other] and ids[other][-1] in earlier:
                ids[other].pop()
                if other == rank:
                    histogram.counts -= self.last
        ids = [name for part in ids for name in part]
        if not ids:
            print_log('No seed was measured.', 'current', logging.WARNING)
            return {}
        if len(set(ids)) < len(ids):
            twice = sorted({name for name in ids if ids.count(name) > 1})[:5]
            raise RuntimeError(
                f'Images were counted twice ({twice}...): use '
                "sampler=dict(type='DefaultSampler', shuffle=False) and list "
                'every image once.')
        histogram.merge_ranks()
        metrics = self.compute_metrics(ids)
        self._reset()
        return {f'{self.prefix}/{key}': v for key, v in metrics.items()}

    def compute_metrics(self, results: list) -> dict:
        """Flattens the summary and logs the IoU of every class."""
        summary = summarize(self.histogram, self.fixed_threshold,
                            self.absent_as_zero)
        names = ('background', *self.dataset_meta['classes'])
        table = ', '.join(
            f'{name} {iou:.2f}'
            for name, iou in zip(names, summary['oracle']['IoU']))
        print_log(
            f'IoU of {len(results)} images at the oracle threshold '
            f'{summary["oracle"]["threshold"]:.2f}: {table}',
            logger='current')
        return {
            f'{which}/{key}': summary[which][key]
            for which in ('oracle', 'fixed')
            for key in ('mIoU', 'threshold', 'precision', 'recall')
        }


def _to_numpy(value: Union[torch.Tensor, np.ndarray]) -> np.ndarray:
    return value.cpu().numpy() if torch.is_tensor(value) else value


def _count_chunk(seed_dir: Path, num_classes: int, thresholds: np.ndarray,
                 samples: Sequence[dict]) -> np.ndarray:
    histogram = SeedHistogram(num_classes, thresholds)
    for sample in samples:
        cam, classes = load_seed(seed_dir / f'{sample["img_id"]}.npz')
        truth = read_truth(sample, cam.shape[1:], num_classes)
        histogram.counts += histogram.count(truth, cam, classes)
    return histogram.counts


@contextmanager
def _worker_map(num_workers: int) -> Iterator[Callable]:
    """Gives a ``map`` that works in this process or in others."""
    if num_workers < 2:
        yield map
        return
    with worker_pool(num_workers) as pool:
        try:
            yield pool.map
        except BrokenProcessPool as error:
            raise RuntimeError(
                'A worker that measures seeds was killed, maybe for lack of '
                'memory; use fewer of them.') from error


def count_seeds(seed_dir: Union[str, Path],
                dataset,
                thresholds: Optional[Sequence[float]] = None,
                num_workers: Optional[int] = 0) -> SeedHistogram:
    """Reads a folder of seed files once and counts for all thresholds.

    Every process of a distributed run counts its share; the result is the
    same on all, and the same with any number of workers.

    Args:
        seed_dir (str | Path): Folder with ``<id>.npz``.
        dataset (BaseDataset): Gives 'img_id' and 'seg_map_path' of the
            images, and the classes in its metainfo.
        thresholds (Sequence[float], optional): Defaults to 0.00, 0.01, ...
            1.00.
        num_workers (int, optional): Most worker processes to start, None for
            one a core; few images are
            counted faster by this process alone, as with 0. Defaults to 0.

    Returns:
        SeedHistogram: Counts of all images.

    Raises:
        FileNotFoundError: If a seed or a mask is missing.
        ValueError: If one cannot be read, or their sizes differ.
    """
    histogram = SeedHistogram(len(dataset.metainfo['classes']), thresholds)
    rank, world_size = get_dist_info()
    samples = []
    for index in range(rank, len(dataset), world_size):
        info = dataset.get_data_info(index)
        samples.append(
            dict(img_id=info['img_id'], seg_map_path=info.get('seg_map_path')))
    chunks = [samples[i:i + _CHUNK] for i in range(0, len(samples), _CHUNK)]
    count = partial(_count_chunk, Path(seed_dir), histogram.num_classes,
                    histogram.thresholds)
    bar = ProgressBar(len(samples)) if is_main_process() else None
    if num_workers is None:
        num_workers = share_of_cores()
    num_workers = min(num_workers, len(samples) // _WORTH_A_WORKER)
    with _worker_map(num_workers) as worker_map:
        for chunk, counts in zip(chunks, worker_map(count, chunks)):
            histogram.counts += counts
            if bar is not None:
                bar.update(len(chunk))
    if bar is not None:
        bar.file.write('\n')
    histogram.merge_ranks()
    return histogram


def evaluate_seeds(seed_dir: Union[str, Path],
                   dataset,
                   thresholds: Optional[Sequence[float]] = None,
                   fixed_threshold: float = 0.3,
                   absent_as_zero: bool = False,
                   num_workers: Optional[int] = 0) -> dict:
    """Measures a folder of seed files.

    Args:
        seed_dir, dataset, num_workers: As in :func:`count_seeds`.
        thresholds, fixed_threshold, absent_as_zero: As in
            :class:`SeedMetric`.

    Returns:
        dict: See :func:`summarize`.
    """
    histogram = count_seeds(seed_dir, dataset,
                            with_fixed(thresholds, fixed_threshold),
                            num_workers)
    return summarize(histogram, fixed_threshold, absent_as_zero)
