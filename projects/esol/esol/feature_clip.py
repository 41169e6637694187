# Copyright (c) mmktse authors. All rights reserved.
from typing import Sequence

import torch
from torch import Tensor, nn

from mmktse.registry import MODELS


@MODELS.register_module()
class FeatureClip(nn.Module):
    """Cuts features at a share of their peak: ``min(x, beta * max(x))``.

    No gradient flows where a feature is cut, nor through the peak: what is
    weakly activated drives the training. ESOL shows the operation in a figure
    only; the formula is a reading of it.

    Args:
        beta (float): Share of the peak, in (0, 1]; 1 cuts nothing. Defaults
            to 0.15.
        dims (Sequence[int]): Dimensions that a peak is taken over: (2, 3),
            the default, one for each image and channel; (1, 2, 3), one for
            each image.

    Raises:
        ValueError: If beta is not in (0, 1].

    Shape:
        - maps: (N, C, h, w), not negative.
        - output: the same, at most beta times the peak.
    """

    def __init__(self,
                 beta: float = 0.15,
                 dims: Sequence[int] = (2, 3)) -> None:
        super().__init__()
        if not 0 < beta <= 1:
            raise ValueError(f'beta of FeatureClip is {beta}, not in (0, 1].')
        self.beta = beta
        self.dims = tuple(dims)

    def forward(self, maps: Tensor) -> Tensor:
        cap = self.beta * maps.detach().amax(self.dims, keepdim=True)
        # Not torch.minimum, which halves the gradient where both are equal.
        return torch.where(maps > cap, cap, maps)
