# Copyright (c) mmktse authors. All rights reserved.
import json
from pathlib import Path
from typing import Any, List, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from mmseg.visualization import SegLocalVisualizer
from PIL import Image

from mmktse.datasets.transforms import read_image
from mmktse.registry import METRICS
from mmktse.seeds.label_io import save_label_map
from mmktse.seeds.manifest import LABELS, differences, label_path
from mmktse.utils import atomic_write
from .score_refinement import RefineScores, SampleQueue, take_probabilities

RECORD = 'predictions.json'
# The stock visualizer sorts all pixels of a class in Python to place its name.
MAX_NAMED_PIXELS = 1 << 20


def overlay_path(folder: Union[str, Path], img_id: str) -> Path:
    """Picture of an image and its mask in a folder of predictions."""
    return Path(folder) / 'overlay' / f'{img_id}.jpg'


def is_predicted(folder: Union[str, Path], img_id: str, overlay: bool) -> bool:
    """Whether a folder of predictions has all of an image."""
    return label_path(folder, img_id).is_file() and (
        not overlay or overlay_path(folder, img_id).is_file())


def claim_folder(folder: Union[str, Path], settings: dict) -> None:
    """Writes down what makes the predictions, or goes on with those there.

    Args:
        folder (str | Path): Folder of predictions.
        settings (dict): Everything that shapes the masks.

    Raises:
        ValueError: If the folder holds predictions of other settings, or of
            unknown origin.
    """
    path = Path(folder) / RECORD
    # As it reads back: tuples become lists.
    settings = json.loads(json.dumps(settings))
    if not (Path(folder) / LABELS).exists():
        with atomic_write(path, 'w') as file:
            json.dump(settings, file, indent=1)
            file.write('\n')
        return
    try:
        old = json.loads(path.read_text(encoding='utf-8'))
    except (FileNotFoundError, ValueError) as error:
        raise ValueError(
            f'{folder} holds {LABELS} but no {RECORD} that can be read, so '
            'nobody knows what made them; choose another folder, or delete '
            'this one.') from error
    changes = differences(old, settings)
    if changes:
        raise ValueError(f'{folder} holds predictions of other settings ('
                         f'{"; ".join(changes)}); choose another folder, or '
                         'delete this one.')


class _Write:
    """Writes the mask of one image; travels to the workers."""

    def __init__(self, out_dir: str, image_dir: str, meta: dict,
                 refiner: Optional[dict], overlay: bool) -> None:
        self.out_dir = out_dir
        self.image_dir = image_dir
        self.meta = meta
        self.refine = None if refiner is None else RefineScores(refiner)
        self.overlay = overlay

    def prepare(self) -> None:
        if self.refine is not None:
            self.refine.prepare()
        if self.overlay:
            self.visualizer = SegLocalVisualizer()
            self.visualizer.dataset_meta = self.meta

    def __call__(self, item: Tuple[str, np.ndarray]) -> str:
        path, prediction = item
        img_id = Path(path).relative_to(self.image_dir).with_suffix('')
        label = prediction if self.refine is None else self.refine(item)
        if self.overlay:
            image = read_image(path, label.shape)
            # The visualizer takes a mask of a single pixel for an index.
            times = 2 if label.size == 1 else 1
            shown = torch.from_numpy(label.repeat(times, 0))
            self.visualizer.add_datasample(
                '',
                image.repeat(times, 0),
                SegDataSample(pred_sem_seg=PixelData(data=shown[None])),
                with_labels=label.size <= MAX_NAMED_PIXELS)
            drawn = self.visualizer.get_image()[:len(label)]
            with atomic_write(overlay_path(self.out_dir, img_id)) as file:
                Image.fromarray(drawn).save(file, format='JPEG', quality=90)
        save_label_map(
            label_path(self.out_dir, img_id), label, self.meta['palette'])
        return str(img_id)


@METRICS.register_module()
class PredictionWriter(BaseMetric):
    """Writes predictions instead of measuring them.

    ``SegmentationClass/<id>.png`` is a palette PNG of the size of the image,
    ``overlay/<id>.jpg`` a picture drawn by mmseg's ``SegLocalVisualizer``.
    Refining, drawing and writing is done in processes beside the network.

    Args:
        out_dir (str): Folder of predictions.
        image_dir (str): Folder that ids are relative to.
        refiner (dict, optional): Config of a refiner. Defaults to None.
        overlay (bool): Whether to draw overlays. Defaults to True.
        num_workers (int, optional): See :class:`SampleQueue`. With 0, only
            the main process of a distributed run can draw overlays. Defaults
            to None: the cores of this process.
    """

    default_prefix = 'predictions'

    def __init__(self,
                 out_dir: str,
                 image_dir: str,
                 refiner: Optional[dict] = None,
                 overlay: bool = True,
                 num_workers: Optional[int] = None) -> None:
        super().__init__()
        self.settings = dict(
            out_dir=out_dir,
            image_dir=image_dir,
            refiner=refiner,
            overlay=overlay)
        self.num_workers = num_workers
        self.queue: Optional[SampleQueue] = None

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Hands a batch to the workers.

        Args:
            data_batch (Any): Not used.
            data_samples (Sequence[dict]): With ``img_path``,
                ``pred_sem_seg`` and, for a refiner, ``seg_logits``.
        """
        if self.queue is None:
            meta = {
                key: self.dataset_meta[key]
                for key in ('classes', 'palette')
            }
            self.queue = SampleQueue(
                _Write(meta=meta, **self.settings), self.num_workers,
                'A worker that writes predictions was killed, maybe for lack '
                'of memory; the same command goes on from here.')
        for sample in data_samples:
            if self.settings['refiner'] is None:
                label = sample['pred_sem_seg']['data'][0]
                prediction = label.cpu().numpy()
            else:
                sample, prediction = take_probabilities(sample)
            sample = dict(img_path=sample['img_path'])
            self._keep(self.queue.add(sample, prediction))

    def evaluate(self, size: int) -> dict:
        """Waits until all is written."""
        if self.queue is not None:
            self._keep(self.queue.finish())
        return super().evaluate(size)

    def compute_metrics(self, results: List[str]) -> dict:
        """Number of images written in this run."""
        return dict(written=len(results))

    def _keep(self, done) -> None:
        self.results += [img_id for _, img_id in done]
