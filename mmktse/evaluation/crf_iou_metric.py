# Copyright (c) mmktse authors. All rights reserved.
from pathlib import Path
from typing import Iterator, Optional, Sequence

import torch
from mmseg.evaluation import IoUMetric

from mmktse.registry import METRICS
from mmktse.seeds.label_io import save_label_map
from .score_refinement import RefineScores, SampleQueue, take_probabilities


@METRICS.register_module()
class CRFIoUMetric(IoUMetric):
    """:class:`mmseg.evaluation.IoUMetric` of refined predictions.

    The refiner, such as a dense CRF, works in processes beside the network.
    It sees the image of ``img_path`` and the softmax of ``seg_logits``, both
    at the original size. Predictions that are stored are palette PNGs.

    Args:
        refiner (dict): Config of a refiner, for example
            ``dict(type='mmktse.DenseCRFRefiner')``.
        num_workers (int, optional): See :class:`SampleQueue`. Defaults to
            None: the cores of this process.
        **kwargs: Arguments of :class:`mmseg.evaluation.IoUMetric`.
    """

    def __init__(self,
                 refiner: dict,
                 num_workers: Optional[int] = None,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        self.queue = SampleQueue(
            RefineScores(refiner), num_workers,
            'A worker that refines predictions was killed, maybe for lack of '
            'memory: give --cfg-options test_evaluator.num_workers=1.')

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Hands a batch to the refiner and counts what it has done.

        Args:
            data_batch (dict): Not used.
            data_samples (Sequence[dict]): With ``img_path``, ``seg_logits``
                and, unless ``format_only``, ``gt_sem_seg``.

        Raises:
            ValueError: If an image is not of the size of its scores.
        """
        for sample in data_samples:
            self._count(self.queue.add(*take_probabilities(sample)))

    def evaluate(self, size: int) -> dict:
        """Waits for the refiner, then measures; see ``IoUMetric``."""
        self._count(self.queue.finish())
        return super().evaluate(size)

    def _count(self, done: Iterator[tuple]) -> None:
        # The stock code would write grey PNGs, and in place.
        folder, self.output_dir = self.output_dir, None
        for sample, label in done:
            super().process(None, [
                dict(sample, pred_sem_seg=dict(data=torch.from_numpy(label)))
            ])
            if folder is not None:
                save_label_map(
                    Path(folder) / f'{Path(sample["img_path"]).stem}.png',
                    label, self.dataset_meta.get('palette'))
        self.output_dir = folder
