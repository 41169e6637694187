# Copyright (c) mmktse authors. All rights reserved.
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmktse.registry import HOOKS


@HOOKS.register_module()
class HoldOffsetsHook(Hook):
    """Holds the offsets of an ESOL stage at zero in its first epochs.

    The phase is set at every epoch, so that a resumed run needs no memory of
    it.

    Args:
        epochs (int): Number of these epochs. Defaults to 1.
    """

    # Before hooks that look at the phase.
    priority = 'HIGH'

    def __init__(self, epochs: int = 1) -> None:
        self.epochs = epochs

    def before_train_epoch(self, runner: Runner) -> None:
        """Sets the phase of :class:`ESOLHead`."""
        model = runner.model
        if is_model_wrapper(model):
            model = model.module
        model.head.hold(runner.epoch < self.epochs)
