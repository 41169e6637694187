# Copyright (c) mmktse authors. All rights reserved.
import torch
from torch import Tensor, nn

from mmktse.models.utils.cam import EPS
from mmktse.registry import MODELS


@MODELS.register_module()
class AreaLoss(nn.Module):
    """Mean area of the maps: keeps the shrinkage from staying too large.

    ESOL shows the loss in a figure only. Here an area is the mean of a map,
    divided by its peak, through which no gradient flows; that of an image is
    the mean over its classes.

    Args:
        loss_weight (float): Weight mu of the loss. Defaults to 0.01.
        classes (str): 'present' or 'all'. Defaults to 'present'.
        activation (str): 'peak': rectified and divided by the peak, or
            'sigmoid'. Defaults to 'peak'.

    Raises:
        ValueError: If one of the two is another word.

    Shape:
        - scores: (N, C, h, w) raw class scores.
        - targets: (N, C) image-level labels, 0 or 1.
        - output: scalar in [0, 1] times the weight, the mean over the images;
          one without classes counts as 0, and so does a map that is nowhere
          positive ('peak').
    """

    def __init__(self,
                 loss_weight: float = 0.01,
                 classes: str = 'present',
                 activation: str = 'peak') -> None:
        super().__init__()
        if classes not in ('present', 'all'):
            raise ValueError(f'classes of AreaLoss is "{classes}", not '
                             '"present" or "all".')
        if activation not in ('peak', 'sigmoid'):
            raise ValueError(f'activation of AreaLoss is "{activation}", not '
                             '"peak" or "sigmoid".')
        self.loss_weight = loss_weight
        self.classes = classes
        self.activation = activation

    def forward(self, scores: Tensor, targets: Tensor) -> Tensor:
        if self.activation == 'sigmoid':
            maps = scores.sigmoid()
        else:
            maps = scores.relu()
            maps = maps / (maps.detach().amax((2, 3), keepdim=True) + EPS)
        if self.classes == 'all':
            targets = torch.ones_like(targets)
        areas = (maps.mean((2, 3)) * targets).sum(1)
        return self.loss_weight * (areas / targets.sum(1).clamp_min(1)).mean()
