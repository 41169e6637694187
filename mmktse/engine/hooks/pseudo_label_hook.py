# Copyright (c) mmktse authors. All rights reserved.
import os.path as osp
from typing import Optional, Sequence

from mmengine.dist import get_dist_info, is_main_process
from mmengine.hooks import Hook
from mmengine.utils import ProgressBar

from mmktse.engine.checkpoint import latest_checkpoint
from mmktse.engine.label_maker import PseudoLabelMaker, network_origin
from mmktse.evaluation import SeedMetric
from mmktse.registry import HOOKS
from mmktse.seeds import load_seed, save_seed


@HOOKS.register_module()
class PseudoLabelHook(Hook):
    """Stores the CAMs of a test run and makes pseudo labels of them.

    What a killed run has already stored is not computed again; the seed
    metric is given the stored maps, so that it covers all images.

    Args:
        out_dir (str, optional): Pseudo-label folder. Defaults to
            'pseudo_labels' in the work directory.
        run_after_train (bool): Whether to run the test loop at the end of a
            training. Defaults to False.
        **kwargs: Arguments of
            :class:`~mmktse.engine.label_maker.PseudoLabelMaker`: threshold,
            threshold_source, ignore_threshold, background_alpha, refiner,
            num_workers, confidence_share, cam_source, seed_protocol.

    Raises:
        ValueError: While the test runs, if the classes of a CAM do not come
            from ``cam_source``, or if the folder was made with other
            settings.
        FileNotFoundError: If there is no checkpoint for the manifest.
    """

    priority = 'LOW'

    def __init__(self,
                 out_dir: Optional[str] = None,
                 run_after_train: bool = False,
                 **kwargs) -> None:
        self.out_dir = out_dir
        self.run_after_train = run_after_train
        self.settings = kwargs

    def after_train(self, runner) -> None:
        """Runs the test loop on the trained network."""
        if self.run_after_train:
            runner.test_loop.run()

    def before_test(self, runner) -> None:
        """Leaves only those images to the loop whose seeds are missing."""
        loop = runner.test_loop
        dataset = loop.dataloader.dataset
        self.maker = PseudoLabelMaker(
            self.out_dir or osp.join(runner.work_dir, 'pseudo_labels'),
            dataset, network_origin(runner.cfg,
                                    self._checkpoint(runner)), **self.settings)
        missing = self.maker.start()
        done = sorted(set(range(len(dataset))) - set(missing))
        self._full_loader = loop.dataloader
        if done:
            runner.logger.info(
                f'{len(done)} of {len(dataset)} images are done.')
        rank, world_size = get_dist_info()
        if done or world_size > 1:
            # No filler samples: each image is written by one process.
            loader = dict(
                runner.cfg.test_dataloader,
                dataset=dataset.get_subset(missing),
                sampler=dict(
                    type='DefaultSampler', shuffle=False, round_up=False))
            loop.dataloader = runner.build_dataloader(loader)
        self._measure(loop.evaluator, dataset, done[rank::world_size])
        # The share of one process; the ranks run side by side.
        self._bar = ProgressBar(len(
            loop.dataloader)) if is_main_process() and missing else None

    def after_test_iter(self,
                        runner,
                        batch_idx: int,
                        data_batch: Optional[dict] = None,
                        outputs: Optional[Sequence] = None) -> None:
        """Stores the seeds of a batch and has them labelled meanwhile."""
        for sample in outputs:
            if sample.cam_source != self.maker.cam_source:
                raise ValueError(
                    f'The classes of image {sample.img_id} come from its '
                    f'{sample.cam_source}, but pseudo labels are to be made '
                    f'from each image\'s {self.maker.cam_source}: add the '
                    'image-level label, or set cam_source.')
            save_seed(
                self.maker.seed_path(sample.img_id),
                sample.cam.float().cpu().numpy(),
                sample.cam_classes.cpu().numpy())
            self.maker.submit(sample.img_id)
        if self._bar is not None:
            self._bar.update()

    def after_test(self, runner) -> None:
        """Makes the labels from the stored seeds."""
        runner.test_loop.dataloader = self._full_loader
        threshold = self.maker.make_labels()
        runner.logger.info(f'Pseudo labels at threshold {threshold:.2f} are '
                           f'in {self.maker.out_dir}.')

    def _checkpoint(self, runner) -> str:
        checkpoint = runner._load_from
        if self.run_after_train or checkpoint is None:
            checkpoint = latest_checkpoint(runner.work_dir)
        if checkpoint is None:
            raise FileNotFoundError(
                'Pseudo labels need a checkpoint to name in their manifest, '
                f'but none was given and {runner.work_dir} has none.')
        return checkpoint

    def _measure(self, evaluator, dataset, indices: Sequence[int]) -> None:
        metrics = [m for m in evaluator.metrics if isinstance(m, SeedMetric)]
        samples = [dataset.get_data_info(i) for i in indices if metrics]
        for sample in samples:
            cam, classes = load_seed(self.maker.seed_path(sample['img_id']))
            # Not kept in the sample: all maps may be more than memory.
            sample = dict(sample, cam=cam, cam_classes=classes)
            for metric in metrics:
                metric.process(None, [sample])
