# Copyright (c) mmktse authors. All rights reserved.
from typing import Tuple

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmktse.registry import MODELS


@MODELS.register_module()
class CAMHead(BaseModule):
    """1x1 classifier with global average pooling: the plain CAM.

    Zhou et al., CVPR 2016, with the loss of several labels: the class scores
    are the maps themselves, averaged for the logits, so that no weights are
    to be multiplied afterwards.

    Args:
        num_classes (int): Number of classes C without background.
        in_channels (int): Channels of the last feature map.
        loss_weight (float): Weight of the classification loss. Defaults to 1.
        init_cfg (dict, optional): Initialisation of the layers.
    """

    def __init__(self,
                 num_classes: int,
                 in_channels: int,
                 loss_weight: float = 1.0,
                 init_cfg: dict = dict(
                     type='Normal', layer='Conv2d', std=0.01)):
        super().__init__(init_cfg)
        self.num_classes = num_classes
        self.loss_weight = loss_weight
        self._init_layers(in_channels)

    def _init_layers(self, in_channels: int) -> None:
        self.classifier = nn.Conv2d(
            in_channels, self.num_classes, 1, bias=False)

    def forward(self, feats: Tuple[Tensor, ...]) -> Tensor:
        """Score maps (N, C, h, w) of the last feature map."""
        return self.classifier(feats[-1])

    def scores(self, maps: Tensor) -> Tensor:
        """Raw class scores (N, C, h, w) among the maps of :meth:`forward`."""
        return maps

    def logits(self, scores: Tensor) -> Tensor:
        """Image-level logits (N, C) of raw class scores."""
        return scores.mean((2, 3))

    def loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Multi-label binary cross-entropy.

        Args:
            scores (Tensor): Raw class scores (N, C, h, w).
            targets (Tensor): Image-level labels (N, C), 0 or 1.

        Returns:
            Tensor: Scalar, weighted.
        """
        return self.loss_weight * F.binary_cross_entropy_with_logits(
            self.logits(scores), targets)
