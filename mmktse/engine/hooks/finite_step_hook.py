# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict, List, Optional

import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapperDict
from mmengine.runner import Runner
from torch import Tensor

from mmktse.registry import HOOKS


@HOOKS.register_module()
class FiniteStepHook(Hook):
    """Stops a training before NaN or infinity reaches the weights.

    Losses and gradients are looked at before every step of an optimizer, on
    every process, at the cost of waiting for the device once a step. The
    message names the terms of the loss, or else parameters with such a
    gradient, and the images. Where MMEngine clips gradients, it does so
    before: a norm that is NaN makes all of them NaN, and the parameters named
    are then the first ones, not the culprits. With a loss scaler that is
    enabled, whatever the type, overflowing gradients are its business, and
    only losses are looked at.

    Args:
        skip (int): Number of steps in a row with such gradients that are left
            out, with a warning, before the run stops. Defaults to 0.
    """

    def __init__(self, skip: int = 0) -> None:
        self.skip = skip
        self._skipped = 0
        self._losses: Dict[str, Tensor] = {}

    def before_train(self, runner: Runner) -> None:
        """Gets between the backward pass and the optimizers."""
        self._runner = runner
        model = runner.model
        if is_model_wrapper(model):
            model = model.module
        self._names = {p: name for name, p in model.named_parameters()}
        model.register_forward_hook(self._keep_losses)
        wrapper = runner.optim_wrapper
        wrappers = (
            wrapper.values()
            if isinstance(wrapper, OptimWrapperDict) else [wrapper])
        for wrapper in wrappers:
            wrapper.optimizer.register_step_pre_hook(self._before_step)

    def before_train_iter(self,
                          runner: Runner,
                          batch_idx: int,
                          data_batch: Optional[dict] = None) -> None:
        """Remembers which images the step is about."""
        self._batch = data_batch

    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: Optional[dict] = None,
                         outputs: Optional[dict] = None) -> None:
        """Looks at losses that no optimizer made a step of."""
        if self._losses and not _finite(list(self._losses.values())):
            self._leave_out([])
        self._losses = {}

    def _keep_losses(self, model, args, outputs) -> None:
        if isinstance(outputs, dict):
            self._losses = {
                name:
                sum(v.detach().mean()
                    for v in (value if isinstance(value, list) else [value]))
                for name, value in outputs.items() if 'loss' in name
            }

    def _before_step(self, optimizer, args, kwargs) -> None:
        params = [
            p for group in optimizer.param_groups for p in group['params']
            if p.grad is not None
        ]
        norm = torch.nn.utils.get_total_norm([p.grad for p in params])
        losses, self._losses = self._losses, {}
        if _finite([norm, *losses.values()]):
            self._skipped = 0
            return
        self._losses = losses
        if _finite([norm]):
            # A step cannot be left out by some processes alone, and only the
            # gradients are the same on all.
            raise RuntimeError(self._message([]))
        self._leave_out(params)
        self._losses = {}
        for param in params:
            param.grad = None

    def _leave_out(self, params: List[Tensor]) -> None:
        message = self._message(params)
        self._skipped += 1
        if self._skipped > self.skip:
            raise RuntimeError(message)
        self._runner.logger.warning(f'{message} This step is left out.')

    def _message(self, params: List[Tensor]) -> str:
        terms = [
            f'{name} is {value.item()}'
            for name, value in self._losses.items() if not _finite([value])
        ]
        if not terms:
            names = [self._names[p] for p in params if not _finite([p.grad])]
            terms = [
                'the losses of this process are finite, but not the gradient '
                f'of {", ".join(names[:3])}' +
                (f' and {len(names) - 3} more' if len(names) > 3 else '')
            ]
        images = [
            str(sample.get('img_id', sample.get('img_path')))
            for key, samples in self._batch.items()
            if key.endswith('data_samples') for sample in samples
        ]
        return (f'Step {self._runner.iter + 1} is not finite: '
                f'{"; ".join(terms)}. Images: {", ".join(images)}. The '
                'weights and checkpoints before it are sound: resume from '
                'there with a lower learning rate, look at these images, or '
                'leave out such steps with default_hooks.finite.skip=N.')


def _finite(values: List[Tensor]) -> bool:
    return all(torch.stack([v.isfinite().all() for v in values]).tolist())
