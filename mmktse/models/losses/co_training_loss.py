# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict

import torch.nn.functional as F
from torch import Tensor, nn

from mmktse.registry import MODELS


@MODELS.register_module()
class CoTrainingLoss(nn.Module):
    """Two networks learn from confident labels, elsewhere from each other.

    BECO (Rong et al., CVPR 2023), as KTSE's segmentation stage uses it: the
    cross entropy with the given labels where they are confident, weighted up
    at the boundary of pasted objects, and with the other network's own labels
    where they are not. Both are means over all pixels.

    Args:
        boundary_weight (float): What a boundary pixel counts in addition.
            Defaults to 0.2.
        ignore_index (int): Label that counts nowhere in the first term.
            Defaults to 255.

    Shape:
        - logits1, logits2: (N, C, H, W).
        - label: (N, H, W) long, 0 background.
        - confidence, boundary: (N, H, W) bool.
        - output: dict of scalars ``loss_seg`` and ``loss_cot``, each the sum
          over both networks.
    """

    def __init__(self,
                 boundary_weight: float = 0.2,
                 ignore_index: int = 255) -> None:
        super().__init__()
        self.boundary_weight = boundary_weight
        self.ignore_index = ignore_index

    def forward(self, logits1: Tensor, logits2: Tensor, label: Tensor,
                confidence: Tensor, boundary: Tensor) -> Dict[str, Tensor]:
        sure = confidence * (1 + self.boundary_weight * boundary)

        def seg(logits: Tensor) -> Tensor:
            error = F.cross_entropy(
                logits,
                label,
                ignore_index=self.ignore_index,
                reduction='none')
            return (error * sure).mean()

        def cot(logits: Tensor, other: Tensor) -> Tensor:
            error = F.cross_entropy(
                logits, other.argmax(dim=1), reduction='none')
            return (error * ~confidence).mean()

        return dict(
            loss_seg=seg(logits1) + seg(logits2),
            loss_cot=cot(logits1, logits2) + cot(logits2, logits1))
