# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict, Optional

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from mmktse.registry import HOOKS
from .deform_sampler import DeformSampler


@HOOKS.register_module()
class OffsetStatsHook(Hook):
    """Logs how far the trained offsets have moved, in cells of the map.

    ``offset_mean`` and ``offset_max`` are mean and maximum of the absolute
    displacements of the batch, before they are cut to ``max_offset``.
    Offsets that are fixed, or held at zero, are not logged.
    """

    def before_train(self, runner: Runner) -> None:
        """Listens to the convolutions that give the offsets."""
        self._stats: Dict[str, Tensor] = {}
        for module in runner.model.modules():
            if isinstance(module, DeformSampler):
                module.offset.register_forward_hook(self._measure)

    def _measure(self, module, args, output: Tensor) -> None:
        if module.weight.requires_grad:
            sizes = output.detach().abs()
            self._stats = dict(
                offset_mean=sizes.mean(), offset_max=sizes.max())

    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: Optional[dict] = None,
                         outputs: Optional[dict] = None) -> None:
        """Hands the statistics of the step to the logger."""
        for name, value in self._stats.items():
            runner.message_hub.update_scalar(f'train/{name}', value)
        self._stats = {}
