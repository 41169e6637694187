# Copyright (c) mmktse authors. All rights reserved.
from pathlib import Path
from typing import Iterator, List, Optional, Sequence, Tuple, Union

from mmengine.config import Config
from mmengine.dist import barrier, get_dist_info, is_main_process
from mmengine.utils import ProgressBar

from mmktse.datasets.transforms import read_image
from mmktse.evaluation import evaluate_seeds
from mmktse.models.refiners import build_refiner, with_class
from mmktse.seeds.label_io import (check_num_classes, save_confidence,
                                   save_label_map)
from mmktse.seeds.labels import check_thresholds, make_label_and_confidence
from mmktse.seeds.manifest import (SEEDS, Manifest, confidence_path,
                                   label_path, read_manifest, seed_path)
from mmktse.seeds.seed_io import load_seed
from mmktse.utils import (TaskPool, clear_partial_files, file_sha256,
                          json_sha256, share_of_cores)
from mmktse.version import __version__


def network_origin(cfg: Config, checkpoint: Union[str, Path]) -> dict:
    """What made the seeds, for the manifest.

    Args:
        cfg (Config): Config of the CAM network.
        checkpoint (str | Path): Its weights.

    Returns:
        dict: 'settings', which a resumed run must share, and 'info'.
    """
    cfg_dict = cfg.to_dict()
    pipeline = cfg_dict['test_dataloader']['dataset'].get('pipeline')
    settings = dict(
        version=__version__,
        network_sha256=json_sha256([cfg_dict['model'], pipeline]),
        checkpoint_sha256=file_sha256(checkpoint))
    if (cfg_dict.get('test_cfg') or {}).get('fp16'):
        settings['fp16'] = True
    return dict(
        settings=settings,
        info=dict(config=str(cfg.filename), checkpoint=str(checkpoint)))


def stored_origin(seed_folder: Union[str, Path],
                  config: Optional[str] = None) -> dict:
    """Like :func:`network_origin`, for seeds that are already there.

    Args:
        seed_folder (str | Path): Pseudo-label folder that holds seeds.
        config (str, optional): Config that was named in the call.
    """
    manifest = read_manifest(seed_folder)
    settings = dict(origin='unknown')
    if manifest is not None:
        settings = manifest['settings']['seeds']
    return dict(
        settings=settings,
        info=dict(config=config, from_seeds=str(seed_folder)))


class _Labeller:
    """Labels one image from its seed; travels to the worker processes."""

    def __init__(self, out_dir: Path, seed_dir: Path, palette: Optional[list],
                 refiner: Optional[dict], settings: dict) -> None:
        self.out_dir = out_dir
        self.seed_dir = seed_dir
        self.palette = palette
        self.refiner_cfg = with_class(refiner)
        self.settings = settings

    def prepare(self) -> None:
        self.refiner = build_refiner(self.refiner_cfg)

    def __call__(self, sample: Tuple[str, str]) -> None:
        img_id, img_path = sample
        cam, classes = load_seed(seed_path(self.seed_dir, img_id))
        image = None
        if self.refiner is not None:
            image = read_image(img_path, cam.shape[1:], 'seed')
        label, confidence = make_label_and_confidence(
            cam, classes, image=image, refiner=self.refiner, **self.settings)
        if confidence is not None:
            save_confidence(confidence_path(self.out_dir, img_id), confidence)
        save_label_map(label_path(self.out_dir, img_id), label, self.palette)


class PseudoLabelMaker:
    """Makes a pseudo-label folder from the seeds of a dataset.

    ``start``, then write the missing seeds, each followed by ``submit`` if
    labels are to be made meanwhile, then ``make_labels``. Each step does
    only what is not done yet, so that a run killed at any point is taken up
    by doing the same again, and ends with the same bytes. All processes of a
    distributed run take part; the folder must be visible to all.

    Args:
        out_dir (str | Path): Pseudo-label folder.
        dataset (BaseDataset): Gives 'img_id' and 'img_path' of the images;
            its metainfo holds 'classes' (without background) and maybe
            'palette' (with).
        origin (dict): :func:`network_origin` or :func:`stored_origin`.
        threshold (float): Background score. Defaults to 0.3.
        threshold_source (str): How it was chosen, for the manifest. With
            'oracle' the threshold that is best against the masks of this very
            dataset is searched and used. Defaults to 'fixed'.
        ignore_threshold (float, optional): Lower background score; what lies
            between becomes void. Defaults to None.
        background_alpha (float, optional): See :func:`make_label`.
        refiner (dict, optional): Config of a refiner. Defaults to None.
        confidence_share (float, optional): If given, the folder also gets
            ``Confidence/<id>.png``: 255 at this share of the pixels of every
            class, the surest ones (see :func:`confidence_mask`), and 0
            elsewhere. KTSE: 0.5. Defaults to None.
        num_workers (int, optional): Worker processes, each with one thread; 0
            works in this process. Defaults to None: one for each core, shared
            among the processes of a distributed run.
        cam_source (str): Where the presence of a class comes from, 'label'
            or 'prediction'; seeds of the other kind are refused. Defaults to
            'label'.
        seed_folder (str | Path, optional): Folder of existing seeds. Defaults
            to None: the seeds of ``out_dir``.
        seed_protocol (dict): thresholds and absent_as_zero of
            :func:`mmktse.evaluation.evaluate_seeds`, for the oracle.
    """

    def __init__(
        self,
        out_dir: Union[str, Path],
        dataset,
        origin: dict,
        threshold: float = 0.3,
        threshold_source: str = 'fixed',
        ignore_threshold: Optional[float] = None,
        background_alpha: Optional[float] = None,
        refiner: Optional[dict] = None,
        confidence_share: Optional[float] = None,
        num_workers: Optional[int] = None,
        cam_source: str = 'label',
        seed_folder: Optional[Union[str, Path]] = None,
        seed_protocol: dict = dict()
    ) -> None:
        check_thresholds(threshold, ignore_threshold, background_alpha,
                         confidence_share)
        # Fails now, not after the network has run.
        check_num_classes(dataset.metainfo['classes'], 'The dataset')
        weights = getattr(build_refiner(refiner), 'sha256', None)
        self.out_dir = Path(out_dir)
        self.seed_folder = Path(seed_folder or out_dir)
        self.dataset = dataset
        self.threshold = threshold
        self.oracle = threshold_source == 'oracle'
        self.ignore_threshold = ignore_threshold
        self.background_alpha = background_alpha
        self.refiner = refiner
        self.confidence_share = confidence_share
        self.num_workers = (
            share_of_cores() if num_workers is None else num_workers)
        self.cam_source = cam_source
        self.seed_protocol = seed_protocol

        samples = [dataset.get_data_info(i) for i in range(len(dataset))]
        self.images = {s['img_id']: s['img_path'] for s in samples}
        if len(self.images) < len(samples):
            raise ValueError('The dataset lists an image more than once.')
        self.ids = list(self.images)
        self.palette = dataset.metainfo.get('palette')
        presence = [(s['img_id'], s.get('gt_label')) for s in samples]
        stored = origin['settings'].get('cam_source', cam_source)
        if stored != cam_source:
            raise ValueError(
                f'The seeds in {self.seed_folder} have their classes from the '
                f'{stored}: set cam_source to "{stored}".')
        settings = dict(
            seeds=dict(origin['settings'], cam_source=cam_source),
            labels=dict(
                threshold='oracle' if self.oracle else threshold,
                threshold_source=threshold_source,
                ignore_threshold=ignore_threshold,
                background_alpha=background_alpha,
                refiner=refiner,
                refiner_sha256=weights,
                confidence_share=confidence_share),
            dataset=dict(
                classes=list(dataset.metainfo['classes']),
                palette=self.palette,
                num_images=len(self.ids),
                labels_sha256=json_sha256(presence)))
        self.manifest = Manifest(self.out_dir, settings, origin['info'])
        self._pool: Optional[TaskPool] = None

    def seed_path(self, img_id: str) -> Path:
        """Seed file of an image."""
        return seed_path(self.seed_folder, img_id)

    def start(self) -> List[int]:
        """Claims the folder.

        Returns:
            list[int]: Indices of the images whose seeds are missing, the same
            on every process.

        Raises:
            ValueError: See :meth:`Manifest.start`.
        """
        self.manifest.start()
        missing = [
            i for i, name in enumerate(self.ids)
            if not self.seed_path(name).is_file()
        ]
        barrier()  # nobody writes before all have looked
        return missing

    def submit(self, img_id: str) -> None:
        """Labels an image whose seed is stored, beside other work.

        Where the threshold is searched first, or without worker processes,
        the image waits for :meth:`make_labels`.
        """
        if self.oracle or not self.num_workers:
            return
        if self._unlabelled([img_id]):
            self._start_pool(self.threshold, self.num_workers)
            self._pool.add([(img_id, self.images[img_id])])

    def make_labels(self) -> float:
        """Labels all images that have no label yet, and closes the manifest.

        Returns:
            float: The threshold that was used.
        """
        try:
            self._finish_pool()
            barrier()  # seeds and labels of other processes
            threshold = self._resolve_threshold()
            todo = self._unlabelled(self.ids)
            barrier()  # nobody writes before all have looked
            rank, world_size = get_dist_info()
            self._run(todo[rank::world_size], threshold)
        finally:
            if self._pool is not None:
                self._pool.close()
                self._pool = None
        barrier()
        self.manifest.finish(self.ids, threshold=threshold)
        if is_main_process():
            clear_partial_files(self.out_dir)
        barrier()
        return threshold

    def _labeller(self, threshold: float) -> _Labeller:
        return _Labeller(
            self.out_dir, self.seed_folder, self.palette, self.refiner,
            dict(
                threshold=threshold,
                ignore_threshold=self.ignore_threshold,
                background_alpha=self.background_alpha,
                confidence_share=self.confidence_share))

    def _unlabelled(self, ids: Sequence[str]) -> List[str]:
        paths = [label_path]
        if self.confidence_share is not None:
            paths.append(confidence_path)
        return [
            i for i in ids
            if not all(path(self.out_dir, i).is_file() for path in paths)
        ]

    def _resolve_threshold(self) -> float:
        if not self.oracle:
            return self.threshold
        if self.manifest.complete:
            return self.manifest.content['threshold']
        rates = evaluate_seeds(
            self.seed_folder / SEEDS,
            self.dataset,
            num_workers=self.num_workers,
            **self.seed_protocol)
        threshold = rates['oracle']['threshold']
        check_thresholds(threshold, self.ignore_threshold,
                         self.background_alpha)
        return threshold

    def _run(self, ids: Sequence[str], threshold: float) -> None:
        if not ids:
            return
        samples = [(name, self.images[name]) for name in ids]
        if self.num_workers:
            self._start_pool(threshold, min(self.num_workers, len(samples)))
            self._pool.add(samples)
            self._finish_pool()
            return
        labeller = self._labeller(threshold)
        labeller.prepare()
        self._exhaust(map(labeller, samples), len(samples))

    def _start_pool(self, threshold: float, num_workers: int) -> None:
        if self._pool is None:
            self._pool = TaskPool(
                self._labeller(threshold), num_workers,
                'A worker that makes labels was killed, maybe for lack of '
                'memory; the same command goes on from here.')

    def _finish_pool(self) -> None:
        if self._pool:
            self._exhaust(self._pool.results(), len(self._pool))

    @staticmethod
    def _exhaust(results: Iterator, count: int) -> None:
        bar = ProgressBar(count) if is_main_process() else None
        for _ in results:
            if bar is not None:
                bar.update()
        if bar is not None:
            bar.file.write('\n')
