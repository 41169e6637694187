# Copyright (c) mmktse authors. All rights reserved.
from typing import Optional

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmktse.registry import HOOKS


@HOOKS.register_module()
class LabelSourceHook(Hook):
    """Says by epoch what the erased pass labels with: the warm-up of ECS-Net.

    Sets ``model.label_source`` at every epoch, so that a resumed run needs no
    memory of it: at first None, the segmentation is not trained, then 'cam',
    then 'seg'.

    Args:
        cam (int): First epoch, from 0, with labels from the CAM. Defaults
            to 2.
        seg (int, optional): First epoch with labels from the segmentation
            branch; None stays with the CAM. Defaults to 4.
    """

    def __init__(self, cam: int = 2, seg: Optional[int] = 4) -> None:
        self.cam = cam
        self.seg = seg

    def before_train_epoch(self, runner: Runner) -> None:
        """Switches the model to the phase of the epoch."""
        model = runner.model
        if is_model_wrapper(model):
            model = model.module
        model.label_source = None
        if self.seg is not None and runner.epoch >= self.seg:
            model.label_source = 'seg'
        elif runner.epoch >= self.cam:
            model.label_source = 'cam'
