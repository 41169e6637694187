# Copyright (c) mmktse authors. All rights reserved.
import math
from itertools import islice
from typing import Optional

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor

from mmktse.registry import HOOKS

_KEY = 'ascent_guard'
# Points that have left the map give logits of 0, whose loss is ln 2.
_LOST = 0.9 * math.log(2)


@HOOKS.register_module()
class AscentGuardHook(Hook):
    """Ends the expansion when L_cls has been climbed high enough.

    Before the first step of the ascent, L_cls is measured on training
    batches at offset 0, clip included: clipping alone raises it. When the
    mean L_cls of as many steps exceeds ``kappa`` times that value, or has
    come near ln 2 from below, the loss of points that have left the map, the
    hook sets ``stop_training``, at which :class:`StoppableTrainLoop` ends
    with a checkpoint. Their ratio is logged as ``ascent_ratio``. Both are in
    the checkpoints: a resumed run stops at the same step.

    Args:
        kappa (float): Ratio at which to stop. Defaults to 3.
        window (int): Number of batches, and of steps, behind a mean.
            Defaults to 50.

    Raises:
        ValueError: If the offsets are not zero before the ascent.
    """

    def __init__(self, kappa: float = 3., window: int = 50) -> None:
        self.kappa = kappa
        self.window = window

    def before_train(self, runner: Runner) -> None:
        """Takes up the state of the checkpoint of a resumed run."""
        self._state = dict(base=None, recent=[])
        if runner.iter:
            self._state = runner.message_hub.get_info(_KEY, self._state)
        runner.message_hub.update_info(_KEY, self._state)

    def before_train_epoch(self, runner: Runner) -> None:
        """Measures L_cls at offset 0 before the first epoch of the ascent."""
        model = self._model(runner)
        if model.head.held or self._state['base'] is not None:
            return
        if any(p.any() for p in model.head.expand.offset.parameters()):
            raise ValueError(
                'The offsets are not zero before the ascent: load_from must '
                'be the checkpoint of the stage "warm". --resume goes on with '
                'an ascent.')
        model.eval()
        losses = []
        with torch.no_grad():
            for batch in islice(runner.train_dataloader, self.window):
                data = model.data_preprocessor(batch, training=True)
                losses.append(model(**data, mode='loss')['loss_cls'])
        self._state['base'] = _mean(torch.stack(losses).mean())
        runner.logger.info('Classification loss at offset 0: '
                           f'{self._state["base"]:.4f}')

    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: Optional[dict] = None,
                         outputs: Optional[dict] = None) -> None:
        """Compares the running loss with its value at offset 0."""
        if self._model(runner).head.held:
            return
        state = self._state
        recent = [*state['recent'], _mean(outputs['loss_cls'])]
        state['recent'] = recent = recent[-self.window:]
        ratio = sum(recent) / len(recent) / state['base']
        lost = _LOST * self._model(runner).head.loss_weight / state['base']
        limit = min(self.kappa, lost) if lost > 1 else self.kappa
        runner.message_hub.update_scalar('train/ascent_ratio', ratio)
        if len(recent) == self.window and ratio > limit:
            runner.logger.info(
                f'The classification loss is {ratio:.2f} times its value at '
                f'offset 0: the ascent stops after step {runner.iter + 1}.')
            runner.train_loop.stop_training = True

    @staticmethod
    def _model(runner: Runner):
        model = runner.model
        return model.module if is_model_wrapper(model) else model


def _mean(value: Tensor) -> float:
    """Mean over all processes, so that they stop together."""
    value = value.detach().clone()
    all_reduce(value, 'mean')
    return value.item()
