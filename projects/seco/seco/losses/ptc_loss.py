# Copyright (c) mmktse authors. All rights reserved.
from typing import Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmktse.models.utils import masked_mean
from mmktse.registry import MODELS


@MODELS.register_module()
class PTCLoss(nn.Module):
    """Patch token contrast (Ru et al., CVPR 2023, ToCo; SeCo, L_PTC).

    Tokens of one label, background included, should be alike, those of two
    labels not: by the absolute value of the cosine, within each image. Both
    kinds of pairs are averaged, their number one too high, as published. With
    several GPUs the mean is that over the pairs of all of them together (see
    :func:`~mmktse.models.utils.masked_mean`); the published one is the mean
    over the GPUs of each one's own.

    Shape:
        - feats: (N, D, h, w), tokens of the last layer.
        - labels: (N, h, w), 0 background, 255 ignored.
        - output: scalar in [0, 1]; 0.5 without a gradient where there is
          no pair.
    """

    @staticmethod
    @torch.no_grad()
    def pairs(labels: Tensor) -> Tuple[Tensor, Tensor]:
        """Pairs of different tokens of a known label.

        Args:
            labels (Tensor): (N, h, w), 0 background, 255 ignored.

        Returns:
            tuple[Tensor, Tensor]: (N, hw, hw) boolean, the pairs of one label
            and those of two.
        """
        labels = labels.flatten(1)
        first, second = labels[:, :, None], labels[:, None]
        other = ~torch.eye(
            labels.shape[1], dtype=torch.bool, device=labels.device)
        known = (first != 255) & (second != 255) & other
        same = first == second
        return known & same, known & ~same

    def forward(self, feats: Tensor, labels: Tensor) -> Tensor:
        tokens = F.normalize(feats.flatten(2), dim=1)
        likeness = (tokens.transpose(1, 2) @ tokens).abs()
        same, different = self.pairs(labels)
        return (1 - masked_mean(likeness, same, eps=1.) +
                masked_mean(likeness, different, eps=1.)) / 2
