# Copyright (c) mmktse authors. All rights reserved.
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmktse.registry import HOOKS


@HOOKS.register_module()
class OnlineLabelHook(Hook):
    """Lets a co-trained model use its own labels after a warm-up.

    Sets ``model.online`` at every epoch, so that a resumed run needs no
    memory of it.

    Args:
        begin (int): First epoch, from 0, with online labels. BECO: 2.
    """

    def __init__(self, begin: int = 2) -> None:
        self.begin = begin

    def before_train_epoch(self, runner: Runner) -> None:
        """Switches the model to the phase of the epoch."""
        model = runner.model
        if is_model_wrapper(model):
            model = model.module
        model.online = runner.epoch >= self.begin
