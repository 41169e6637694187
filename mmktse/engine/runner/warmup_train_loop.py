# Copyright (c) mmktse authors. All rights reserved.
from typing import Union

from mmengine.runner import EpochBasedTrainLoop, Runner
from torch.utils.data import DataLoader

from mmktse.registry import LOOPS


@LOOPS.register_module()
class WarmupTrainLoop(EpochBasedTrainLoop):
    """Epochs of one dataloader, then epochs of another, in one run.

    KTSE warms up with small batches of single images and goes on with larger
    batches of pairs. Iterations are counted through, so that schedulers by
    iteration run on, and a run resumes in either phase.

    Args:
        runner (Runner): The runner.
        dataloader (dict | DataLoader): Used after the warm-up.
        warmup_epochs (int): Number of epochs of the warm-up, on the
            ``warmup_dataloader`` of the config.
        max_epochs (int): Number of epochs, the warm-up included.
        **kwargs: See :class:`mmengine.runner.EpochBasedTrainLoop`.

    Raises:
        ValueError: If ``warmup_epochs`` is not in 0 to ``max_epochs``, or if
            there are fewer images than a batch holds.
    """

    def __init__(self, runner: Runner, dataloader: Union[DataLoader, dict],
                 warmup_epochs: int, max_epochs: int, **kwargs) -> None:
        super().__init__(runner, dataloader, max_epochs, **kwargs)
        if not 0 <= warmup_epochs <= max_epochs:
            raise ValueError(f'warmup_epochs is {warmup_epochs}, not in 0 to '
                             f'max_epochs = {max_epochs}')
        self.main_dataloader = self.dataloader
        self.warmup_dataloader = runner.build_dataloader(
            runner.cfg.warmup_dataloader, seed=runner.seed)
        self.warmup_epochs = warmup_epochs
        for loader in (self.warmup_dataloader, self.main_dataloader):
            if len(loader) == 0:
                raise ValueError(
                    f'{len(loader.dataset)} images do not fill a batch of '
                    f'{loader.batch_size}: lower the batch_size of '
                    'warmup_dataloader and train_dataloader.')
        self._max_iters = (
            warmup_epochs * len(self.warmup_dataloader) +
            (max_epochs - warmup_epochs) * len(self.main_dataloader))
        self._choose_dataloader()

    def _choose_dataloader(self) -> None:
        # Hooks and the log processor look at the current dataloader.
        self.dataloader = (
            self.warmup_dataloader
            if self._epoch < self.warmup_epochs else self.main_dataloader)

    def run_epoch(self) -> None:
        """Runs one epoch on the dataloader of its phase."""
        self._choose_dataloader()
        super().run_epoch()
