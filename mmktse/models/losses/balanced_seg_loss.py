# Copyright (c) mmktse authors. All rights reserved.
from typing import Optional

import torch.nn.functional as F
from torch import Tensor, nn

from mmktse.registry import MODELS
from ..utils.reduction import masked_mean


@MODELS.register_module()
class BalancedSegLoss(nn.Module):
    """Cross entropy whose background and foreground count the same.

    Half the mean over background pixels plus half the mean over foreground
    pixels, each over the batches of all ranks together (see
    :func:`~mmktse.models.utils.masked_mean`). It can be the ``loss_decode`` of
    any head of MMSegmentation.

    Args:
        eps (float): 0 divides each sum by max(count, 1), any other value by
            count + eps; the published SeCo (Yang et al., CVPR 2024) has 1e-6.
            Defaults to 0.
        loss_weight (float): Weight of the loss. Defaults to 1.
        loss_name (str): Key of the loss in a head's results.
            Defaults to ``loss_seg``.

    Shape:
        - logits: (N, C, H, W), background first.
        - label: (N, H, W) long, 0 background, ``ignore_index`` ignored.
        - weight: optional (N, H, W), what a pixel's error is multiplied with.
        - output: scalar; a side without pixels adds 0, without a gradient.
    """

    def __init__(self,
                 eps: float = 0.,
                 loss_weight: float = 1.0,
                 loss_name: str = 'loss_seg') -> None:
        super().__init__()
        self.eps = eps
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self,
                logits: Tensor,
                label: Tensor,
                weight: Optional[Tensor] = None,
                ignore_index: int = 255) -> Tensor:
        error = F.cross_entropy(
            logits, label, ignore_index=ignore_index, reduction='none')
        if weight is not None:
            error = error * weight
        background = label == 0
        foreground = ~background & (label != ignore_index)
        return self.loss_weight / 2 * (
            masked_mean(error, background, self.eps) +
            masked_mean(error, foreground, self.eps))
