# Copyright (c) mmktse authors. All rights reserved.
from torch import Tensor, nn

from mmktse.registry import MODELS


@MODELS.register_module()
class SIELoss(nn.Module):
    """Knowledge transfer of simulated inter-image erasing (KTSE, L_kt).

    Where an image alone fires stronger than the same image joined with its
    partner, the joined one is pulled up. Gradient flows on both sides.

    Args:
        margin (float): Difference in raw scores that is left alone.
        loss_weight (float): Weight of the loss.

    Shape:
        - joint: (K, C, H, W) raw scores of the joined images.
        - single: (K, C, H, W) raw scores of anchor and partner, joined alike.
        - targets: (K, C) union of the image-level labels, 0 or 1.
        - output: scalar, the mean over all K * C * H * W elements.

    Raises:
        ValueError: In ``forward``, if both scores differ in shape.
    """

    def __init__(self, margin: float = 0.05, loss_weight: float = 1.0):
        super().__init__()
        self.margin = margin
        self.loss_weight = loss_weight

    def forward(self, joint: Tensor, single: Tensor,
                targets: Tensor) -> Tensor:
        if joint.shape != single.shape:
            raise ValueError(
                f'the joined image has scores of shape {tuple(joint.shape)}, '
                f'its parts {tuple(single.shape)}: make the crop size a '
                'multiple of the output stride')
        gap = (single - joint - self.margin).relu()
        return self.loss_weight * (gap * targets[:, :, None, None]).mean()
