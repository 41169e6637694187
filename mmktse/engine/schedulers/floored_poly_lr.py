# Copyright (c) mmktse authors. All rights reserved.
from typing import List

from mmengine.optim import PolyLR

from mmktse.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class FlooredPolyLR(PolyLR):
    """Polynomial decay to zero that stops at a lowest learning rate.

    ``max(base * (1 - step / end) ** power, floor)``. MMEngine's ``eta_min``
    scales the whole curve instead; BECO trains with a floor.

    Args:
        optimizer (Optimizer | OptimWrapper): Wrapped optimizer.
        floor (float): Lowest learning rate.
        *args: As for :class:`mmengine.optim.PolyLR`.
        **kwargs: As for :class:`mmengine.optim.PolyLR`.
    """

    def __init__(self, optimizer, *args, floor: float, **kwargs) -> None:
        self.floor = floor
        super().__init__(optimizer, *args, **kwargs)

    def _get_value(self) -> List[float]:
        left = 1 - self.last_step / (self.end - self.begin)
        return [
            max(base * left**self.power, self.floor)
            for base in self.base_values
        ]
