# Copyright (c) mmktse authors. All rights reserved.
from typing import Sequence

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmktse.registry import MODELS


@MODELS.register_module()
class GMPHead(BaseModule):
    """Classifier of the features' maximum, with CAMs.

    Global max pooling takes place before the 1x1 classifier, channel by
    channel; the classifier on the map as it is gives the CAM. Hence logits
    are no function of the CAM, other than for
    :class:`mmktse.models.heads.CAMHead`.

    Args:
        num_classes (int): Number of classes C without background.
        in_channels (int): Channels D of the feature map.
        in_index (int): Which of the backbone's outputs is the map.
    """

    def __init__(self, num_classes: int, in_channels: int,
                 in_index: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.in_index = in_index
        self.classifier = nn.Conv2d(in_channels, num_classes, 1, bias=False)

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """Raw CAM (N, C, h, w), signed, of the backbone's outputs."""
        return self.classifier(feats[self.in_index])

    def logits(self, feats: Sequence[Tensor]) -> Tensor:
        """Image-level logits (N, C) of the backbone's outputs."""
        pooled = F.adaptive_max_pool2d(feats[self.in_index], 1)
        return self.classifier(pooled).flatten(1)

    def loss(self, feats: Sequence[Tensor], targets: Tensor) -> Tensor:
        """Multi-label soft-margin loss, the mean over classes and images.

        Args:
            feats (Sequence[Tensor]): Outputs of the backbone.
            targets (Tensor): Image-level labels (N, C), 0 or 1.

        Returns:
            Tensor: Scalar.
        """
        return F.multilabel_soft_margin_loss(self.logits(feats), targets)
