# Copyright (c) mmktse authors. All rights reserved.
from torch import Tensor, nn

from mmktse.models.utils import erasing_norm, masked_mean
from mmktse.registry import MODELS


@MODELS.register_module()
class MirrorLoss(nn.Module):
    """The maps of an image and of its mirror should be mirrored, too.

    Made up for this example, from no paper: the mean absolute difference of
    the normalised maps of the present classes. Gradient flows on both sides.

    Args:
        loss_weight (float): Weight of the loss. Defaults to 1.

    Shape:
        - scores: (N, C, h, w) raw scores of the images.
        - mirrored: (N, C, h, w) raw scores of the mirrored images, as the
          network gives them.
        - targets: (N, C) image-level labels, 0 or 1.
        - output: scalar in [0, 1) times the weight, the mean over the maps
          of present classes; 0 where no class is present.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, scores: Tensor, mirrored: Tensor,
                targets: Tensor) -> Tensor:
        gap = erasing_norm(scores) - erasing_norm(mirrored).flip(-1)
        present = targets.bool()[:, :, None, None].expand_as(gap)
        return self.loss_weight * masked_mean(gap.abs(), present)
