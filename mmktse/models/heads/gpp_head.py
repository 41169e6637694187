# Copyright (c) mmktse authors. All rights reserved.
from typing import Sequence, Tuple

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmktse.registry import MODELS
from ..utils.cam import resize
from .cam_head import CAMHead


class GateUnit(BaseModule):
    """Joins two pyramid levels with pixel-wise gates.

    The positive and the negative part of both levels have gates of their own.

    Args:
        num_classes (int): Number of channels of each level.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.positive = nn.Conv2d(2 * num_classes, 2, 3, padding=1, bias=False)
        self.negative = nn.Conv2d(2 * num_classes, 2, 3, padding=1, bias=False)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Gated mean of two levels, each (N, C, h, w)."""
        result = 0
        for conv, sign in ((self.positive, 1.), (self.negative, -1.)):
            x, y = (sign * coarse).relu(), (sign * fine).relu()
            gate = conv(torch.cat((x, y), 1)).sigmoid()
            result = result + sign * 0.5 * (x * gate[:, :1] + y * gate[:, 1:])
        return result


@MODELS.register_module()
class GPPHead(CAMHead):
    """Gated pyramid pooling head of KTSE (from AEFT, ECCV 2022).

    A logit is the mean product of a score map with its gated pyramid, for the
    positive and the negative parts apart. It is quadratic in the scores and
    starts near zero; short schedules need a warm-up.

    Args:
        num_classes (int): Number of classes C without background.
        in_channels (int): Channels of the last feature map.
        hidden_channels (int): Channels between the two 1x1 convolutions.
        bins (Sequence[int]): Pyramid levels, coarse to fine.
        loss_weight (float): Weight of the classification loss.
        positive_background (bool): Start with background scores that are
            positive everywhere. Where they are not, the rectified background
            gets no gradient, and SSR can meet its labels only by lowering
            the classes, which makes short schedules collapse. Defaults to
            False, as published.
        init_cfg (dict, optional): Initialisation of the 1x1 convolutions; the
            gates keep PyTorch's default.
    """

    def __init__(self,
                 num_classes: int,
                 in_channels: int,
                 hidden_channels: int = 256,
                 bins: Sequence[int] = (2, 4, 8, 16),
                 loss_weight: float = 1.0,
                 positive_background: bool = False,
                 init_cfg: dict = dict(
                     type='Xavier',
                     distribution='uniform',
                     override=[dict(name='fc8'),
                               dict(name='fc9')])):
        self.hidden_channels = hidden_channels
        self.bins = bins
        self.positive_background = positive_background
        super().__init__(num_classes, in_channels, loss_weight, init_cfg)

    def _init_layers(self, in_channels: int) -> None:
        self.fc8 = nn.Conv2d(in_channels, self.hidden_channels, 1, bias=False)
        self.fc9 = nn.Conv2d(
            self.hidden_channels, self.num_classes + 1, 1, bias=False)
        self.gates = nn.ModuleList(
            GateUnit(self.num_classes) for _ in self.bins[1:])

    def init_weights(self) -> None:
        """Initialises the weights."""
        super().init_weights()
        if self.positive_background:
            # Its input is rectified, so positive weights suffice.
            self.fc9.weight.data[0].abs_()

    def forward(self, feats: Tuple[Tensor, ...]) -> Tensor:
        """Score maps (N, C + 1, h, w), background first, signed."""
        return self.fc9(self.fc8(feats[-1]).relu())

    def scores(self, maps: Tensor) -> Tensor:
        """Raw class scores (N, C, h, w) among the maps of :meth:`forward`."""
        return maps[:, 1:]

    def pyramid(self, scores: Tensor) -> Tensor:
        """Gated pyramid (N, C, h, w) of raw class scores."""
        size = scores.shape[2:]
        levels = [
            resize(F.adaptive_avg_pool2d(scores, bins), size)
            for bins in self.bins
        ]
        result = levels[0]
        for gate, level in zip(self.gates, levels[1:]):
            result = gate(result, level)
        return result

    def logits(self, scores: Tensor) -> Tensor:
        """Image-level logits (N, C) of raw class scores."""
        with torch.autocast(scores.device.type, enabled=False):
            pyramid = self.pyramid(scores)
        product = scores.relu() * pyramid.relu()
        product = product - (-scores).relu() * (-pyramid).relu()
        return product.mean((2, 3))
