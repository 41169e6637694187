# Copyright (c) mmktse authors. All rights reserved.
import math
from itertools import islice
from typing import Dict, Optional

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
    """Ends the expansion when the loss has been climbed high enough.

    The loss is the one that the offsets climb: L_cls, or with
    ``present_only`` its part of the present classes. Before the first step of
    the ascent it is measured on training batches at offset 0, clip and
    autocast included: clipping alone raises it. When the mean loss of as many
    steps exceeds ``kappa`` times that value, the hook sets ``stop_training``,
    at which :class:`StoppableTrainLoop` ends with a checkpoint. Their ratio is
    logged as ``ascent_ratio``. Both are in the checkpoints: a resumed run
    stops at the same step.

    Offsets without a bound (``max_offset``) can leave the map, where the loss
    is ln 2 and no gradient leads back. With them the ascent also stops when
    the loss has come near ln 2 from below, whatever kappa: before it is
    3 times the value at offset 0 if that is more than 0.21. Bounded ones can
    come back, and kappa alone counts.

    Args:
        kappa (float): Ratio at which to stop. Defaults to 3.
        window (int): Number of batches, and of steps, behind a mean.
            No more than an epoch has. Defaults to 50.

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
        """Measures the loss at offset 0 before the ascent."""
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
        with torch.no_grad(), runner.optim_wrapper.optim_context(model):
            for batch in islice(runner.train_dataloader, self.window):
                data = model.data_preprocessor(batch, training=True)
                losses.append(_climbed(model(**data, mode='loss')))
        self._state['base'] = _mean(torch.stack(losses).mean())
        runner.logger.info('Climbed loss at offset 0: '
                           f'{self._state["base"]:.4f}')

    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: Optional[dict] = None,
                         outputs: Optional[dict] = None) -> None:
        """Compares the running loss with its value at offset 0."""
        head = self._model(runner).head
        if head.held:
            return
        state = self._state
        window = min(self.window, len(runner.train_dataloader))
        recent = [*state['recent'], _mean(_climbed(outputs))]
        state['recent'] = recent = recent[-window:]
        ratio = sum(recent) / len(recent) / state['base']
        limit = self.kappa
        lost = _LOST * head.loss_weight / state['base']
        if head.expand.max_offset is None and lost > 1:
            limit = min(limit, lost)
        runner.message_hub.update_scalar('train/ascent_ratio', ratio)
        if len(recent) == window and ratio > limit:
            runner.logger.info(
                f'The climbed loss is {ratio:.2f} times its value at '
                f'offset 0: the ascent stops after step {runner.iter + 1}.')
            runner.train_loop.stop_training = True

    @staticmethod
    def _model(runner: Runner):
        model = runner.model
        return model.module if is_model_wrapper(model) else model


def _climbed(losses: Dict[str, Tensor]) -> Tensor:
    """The loss that the offsets climb, among those of :class:`ESOL`."""
    return losses.get('loss_ascent', losses['loss_cls'])


def _mean(value: Tensor) -> float:
    """Mean over all processes, so that they stop together."""
    value = value.detach().clone()
    all_reduce(value, 'mean')
    return value.item()
