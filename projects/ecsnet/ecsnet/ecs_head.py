# Copyright (c) mmktse authors. All rights reserved.
from typing import Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmktse.models import CAMHead
from mmktse.models.utils import erasing_norm
from mmktse.models.utils.cam import EPS
from mmktse.registry import MODELS


@MODELS.register_module()
class ECSHead(CAMHead):
    """Classifier of the plain CAM with a segmentation branch beside it.

    The branch is a dilated 3x3 convolution, ReLU and a 1x1 convolution, on
    the same features as the classifier.

    Args:
        num_classes (int): Number of classes C without background.
        in_channels (int): Channels of the last feature map.
        seg_channels (int): Channels within the branch. Defaults to 512.
        dilation (int): Of the branch, in feature cells. Defaults to 12,
            which suits stride 8.
        **kwargs: See :class:`mmktse.models.CAMHead`.
    """

    # What can be turned into seeds.
    SEEDS = ('cam', 'seg')

    def __init__(self,
                 num_classes: int,
                 in_channels: int,
                 seg_channels: int = 512,
                 dilation: int = 12,
                 **kwargs) -> None:
        self.seg_channels = seg_channels
        self.dilation = dilation
        super().__init__(num_classes, in_channels, **kwargs)

    def _init_layers(self, in_channels: int) -> None:
        super()._init_layers(in_channels)
        self.seg_conv = nn.Conv2d(
            in_channels,
            self.seg_channels,
            3,
            padding=self.dilation,
            dilation=self.dilation)
        self.seg_classifier = nn.Conv2d(self.seg_channels,
                                        self.num_classes + 1, 1)

    def forward(self, feats: Tuple[Tensor, ...], seg: bool = True) -> Tensor:
        """Class scores, then segmentation logits: (N, 2 C + 1, h, w).

        Without ``seg`` the class scores alone, (N, C, h, w): the branch costs
        more than all else in the head.
        """
        scores = super().forward(feats)
        if not seg:
            return scores
        logits = self.seg_classifier(self.seg_conv(feats[-1]).relu())
        return torch.cat((scores, logits), 1)

    def scores(self, maps: Tensor) -> Tensor:
        """Raw class scores (N, C, h, w) among the maps of :meth:`forward`."""
        return maps[:, :self.num_classes]

    def seg_logits(self,
                   maps: Tensor,
                   targets: Optional[Tensor] = None) -> Tensor:
        """Segmentation logits, background first.

        Args:
            maps (Tensor): What :meth:`forward` gives.
            targets (Tensor, optional): Of no use here.

        Returns:
            Tensor: (N, C + 1, h, w).
        """
        return maps[:, self.num_classes:]


@MODELS.register_module()
class SegFromCAMHead(CAMHead):
    """Reads the segmentation off the CAM, without a branch of its own.

    The background is ``(1 - max_c S_c) ** alpha`` of the normalised CAMs S
    of the present classes. Whether ECS-Net does so is open: see
    :class:`ECSHead`. The logits are ``log(share + FLOOR)`` of background and
    present classes, less how far a raw score lies below the one that S maps
    to 0: a cell that is cut to 0 can still be taught its class, and the slope
    over S is at most ``1 / FLOOR``.

    Args:
        num_classes (int): Number of classes C without background.
        in_channels (int): Channels of the last feature map.
        alpha (float): Exponent, from 1; the higher, the less background.
            SEAM uses 4 and 24. Defaults to 4.
        **kwargs: See :class:`mmktse.models.CAMHead`.
    """

    SEEDS = ('cam', )
    FLOOR = 0.01

    def __init__(self,
                 num_classes: int,
                 in_channels: int,
                 alpha: float = 4.,
                 **kwargs) -> None:
        super().__init__(num_classes, in_channels, **kwargs)
        self.alpha = alpha

    def forward(self, feats: Tuple[Tensor, ...], seg: bool = True) -> Tensor:
        """Class scores (N, C, h, w); ``seg`` is of no use here."""
        return super().forward(feats)

    def seg_logits(self, maps: Tensor, targets: Tensor) -> Tensor:
        """Logits of background and classes.

        Args:
            maps (Tensor): Raw class scores (N, C, h, w).
            targets (Tensor): Image-level labels (N, C), 0 or 1.

        Returns:
            Tensor: (N, C + 1, h, w), background first.
        """
        present = targets[:, :, None, None]
        cams = erasing_norm(maps) * present
        background = (1 - cams.amax(1, keepdim=True)).pow(self.alpha)
        shares = torch.cat((background, cams), 1)
        # Next to no share for absent classes.
        floor = self.FLOOR * F.pad(present, (0, 0, 0, 0, 1, 0), value=1.)
        logits = (shares + floor).clamp_min(EPS).log()
        # Where the normalisation cuts, which leaves no gradient, the score
        # lowers the logit in its own units, as maps may be nearly flat.
        low = maps.detach().relu().amin((2, 3), keepdim=True)
        below = (low + EPS - maps).relu() * present
        return logits - F.pad(below, (0, 0, 0, 0, 1, 0))
