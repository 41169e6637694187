# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict, Optional

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmktse.registry import HOOKS


@HOOKS.register_module()
class LabelThresholdHook(Hook):
    """Lets online labels follow the best threshold of the validation images.

    The high threshold of ``model.labeler`` becomes the best one of the seeds,
    the low one ``margin`` less: before the first step, also of a resumed run,
    and after every epoch. Maps that spread need a higher threshold, so
    that the labels do not grow with them. The validation images need masks;
    a small part of the training images, drawn by hand, will do
    (docs/schedule.md).

    Args:
        margin (float): From the high threshold down to the low one; the band
            between them is ignored. Defaults to 0.1.
    """

    # After CheckpointHook, whose save_best listens to the first validation.
    priority = 'LOWEST'

    def __init__(self, margin: float = 0.1) -> None:
        self.margin = margin

    def before_train(self, runner: Runner) -> None:
        """Validates, which sets the thresholds for the first steps.

        Raises:
            ValueError: If the training has no validation, or not after every
                epoch.
        """
        if runner.val_loop is None:
            raise ValueError(
                'LabelThresholdHook takes thresholds from a validation with '
                'masks: set val_dataloader, val_cfg and val_evaluator, or set '
                'model.labeler.thresholds and leave out the hook.')
        if max(runner.train_loop.val_begin,
               runner.train_loop.val_interval) > 1:
            raise ValueError(
                'LabelThresholdHook validates before a resumed run goes on, '
                'which would change its thresholds unless every epoch is '
                'validated: set train_cfg.val_interval=1 and leave out '
                'val_begin.')
        runner.val_loop.run()

    def after_val_epoch(self,
                        runner: Runner,
                        metrics: Optional[Dict[str, float]] = None) -> None:
        """Sets the thresholds.

        Raises:
            ValueError: If the validation measured no seeds.
        """
        key = 'seed/oracle/threshold'
        if key not in (metrics or {}):
            raise ValueError(
                f'LabelThresholdHook finds no "{key}" among the results of '
                'the validation: val_evaluator needs a SeedMetric.')
        model = runner.model
        if is_model_wrapper(model):
            model = model.module
        high = metrics[key]
        model.labeler.thresholds = (high, max(high - self.margin, 0.))
