# Copyright (c) mmktse authors. All rights reserved.
from collections import deque
from copy import deepcopy
from typing import Any, Callable, Iterable, Iterator, Optional, Tuple

import numpy as np

from mmktse.datasets.transforms import read_image
from mmktse.models.refiners import build_refiner, with_class
from mmktse.utils import TaskPool, share_of_cores


class RefineScores:
    """Labels one image by its refined scores; travels to the workers.

    Args:
        refiner (dict): Config of a refiner.
    """

    def __init__(self, refiner: dict) -> None:
        self.refiner_cfg = with_class(refiner)

    def prepare(self) -> None:
        """Builds the refiner."""
        self.refiner = build_refiner(self.refiner_cfg)

    def __call__(self, item: Tuple[str, np.ndarray]) -> np.ndarray:
        """Refines.

        Args:
            item (tuple): Path of the image and probabilities (C, H, W).

        Returns:
            np.ndarray: Label map (H, W) int64.
        """
        path, scores = item
        image = read_image(path, scores.shape[1:])
        return self.refiner(image, scores).argmax(axis=0)


def take_probabilities(sample: dict) -> Tuple[dict, np.ndarray]:
    """Splits a predicted sample.

    Args:
        sample (dict): With ``seg_logits`` (C, H, W), whose softmax are the
            probabilities.

    Returns:
        tuple[dict, np.ndarray]: The sample without them, which are large, and
        without the labels made of them, and the probabilities (C, H, W)
        float32.
    """
    sample = dict(sample)
    sample.pop('pred_sem_seg', None)
    logits = sample.pop('seg_logits')['data']
    return sample, logits.float().softmax(dim=0).cpu().numpy()


class SampleQueue:
    """Has a task done for predicted samples, beside the network.

    At most two images for each worker are unfinished; then the network waits.

    Args:
        task (Callable): Takes the path of an image and its prediction; with a
            method ``prepare()``, see :class:`TaskPool`.
        num_workers (int, optional): Worker processes, each with one thread; 0
            works in this process. Defaults to None: one for each core, shared
            among the processes of a distributed run.
        killed (str): The sentence for the user when the system kills a
            worker.
    """

    def __init__(self, task: Callable, num_workers: Optional[int],
                 killed: str) -> None:
        self.num_workers = (
            share_of_cores() if num_workers is None else num_workers)
        # Fails now, not after the network has run; what is prepared need not
        # be fit to travel.
        ready = deepcopy(task)
        ready.prepare()
        self.task = task if self.num_workers else ready
        self.killed = killed
        self.pool: Optional[TaskPool] = None
        self.samples: deque = deque()

    def add(self, sample: dict,
            prediction: np.ndarray) -> Iterator[Tuple[dict, Any]]:
        """Takes on a sample.

        Args:
            sample (dict): With ``img_path``.
            prediction (np.ndarray): What the task takes.

        Yields:
            tuple: Samples and what the task returned, those that are done, in
            the order in which they were added.
        """
        item = sample['img_path'], prediction
        if not self.num_workers:
            yield sample, self.task(item)
            return
        if self.pool is None:
            self.pool = TaskPool(self.task, self.num_workers, self.killed)
        self.samples.append(sample)
        yield from self._results(
            [*self.pool.add([item]), *self.pool.results(left=self.pool.limit)])

    def finish(self) -> Iterator[Tuple[dict, Any]]:
        """Yields the rest and ends the workers."""
        if self.pool is not None:
            yield from self._results(self.pool.results())
            self.pool.close()
            self.pool = None

    def _results(self, results: Iterable) -> Iterator[Tuple[dict, Any]]:
        for result in results:
            yield self.samples.popleft(), result
