# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict

from torch import Tensor, nn

from mmktse.registry import MODELS


@MODELS.register_module()
class MGALoss(nn.Module):
    """Multi-granularity alignment with the self-erased image (KTSE).

    The local term pulls the anchor up where its erased view fires stronger
    outside the erased region; the global term equalises the mean positive
    score of both views. Gradient flows on both sides.

    Args:
        margin (float): Difference in raw scores that the local term leaves.
        local_weight (float): Weight of the local term.
        global_weight (float): Weight of the global term.

    Shape:
        - scores, erased: (N, C, h, w) raw scores of the anchor and of its
          erased view.
        - keep: (N, 1, h, w), 1 where the anchor was not erased, else 0.
        - targets: (N, C) image-level labels, 0 or 1.
        - output: dict of scalars ``loss_local`` and ``loss_global``, means
          over all elements, absent classes included.
    """

    def __init__(self,
                 margin: float = 0.05,
                 local_weight: float = 1.0,
                 global_weight: float = 1.0) -> None:
        super().__init__()
        self.margin = margin
        self.local_weight = local_weight
        self.global_weight = global_weight

    def forward(self, scores: Tensor, erased: Tensor, keep: Tensor,
                targets: Tensor) -> Dict[str, Tensor]:
        gap = ((erased - scores) * keep - self.margin).relu()
        local = (gap * targets[:, :, None, None]).mean()
        pooled = erased.relu().mean((2, 3)) - scores.relu().mean((2, 3))
        return dict(
            loss_local=self.local_weight * local,
            loss_global=self.global_weight * (pooled * targets).abs().mean())
