# Copyright (c) mmktse authors. All rights reserved.
from typing import List

from mmengine.optim import PolyLR

from mmktse.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class WarmupPolyLR(PolyLR):
    """Linear warm-up, then a polynomial decay as if there had been none.

    ``base * (r + (1 - r) * t / W)`` in the W first steps t = 0, 1, ..., then
    ``base * (1 - t / end) ** power``: the rate drops where the second begins
    (for W of 1,500 and ``end`` of 20,000 from 1 to 0.93). A ``LinearLR``
    before a ``PolyLR`` would decay from the full rate instead.

    Args:
        optimizer (Optimizer | OptimWrapper): Wrapped optimizer.
        warmup_steps (int): Steps W of the warm-up. Defaults to 1500.
        warmup_ratio (float): First rate r, relative to the base. The published
            option has the name of a rate, but is this ratio.
            Defaults to 1e-6.
        power (float): Defaults to 0.9.
        *args: As for :class:`mmengine.optim.PolyLR`.
        **kwargs: As for :class:`mmengine.optim.PolyLR`; ``end`` is the length
            of the training.
    """

    def __init__(self,
                 optimizer,
                 *args,
                 warmup_steps: int = 1500,
                 warmup_ratio: float = 1e-6,
                 power: float = 0.9,
                 **kwargs) -> None:
        self.warmup_steps = warmup_steps
        self.warmup_ratio = warmup_ratio
        super().__init__(optimizer, *args, power=power, **kwargs)

    def _get_value(self) -> List[float]:
        step = self.last_step
        if step < self.warmup_steps:
            # Rounded as published: the first rate has few digits left.
            left = 1 - step / self.warmup_steps
            factor = 1 - left * (1 - self.warmup_ratio)
        else:
            factor = (1 - step / (self.end - self.begin))**self.power
        return [base * factor for base in self.base_values]
