# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict

import torch
from torch import Tensor, nn

from mmktse.registry import MODELS
from ..refiners.affinity_paths import destinations
from ..refiners.random_walk import edge_to_affinity, neighbourhoods, place
from ..utils.reduction import masked_mean

_EPS = 1e-5


@MODELS.register_module()
class AffinityLoss(nn.Module):
    """Losses of edge and displacement (IRN, Ahn et al., CVPR 2019).

    Near pixels of one label must have no edge between them and, if they are
    foreground, point to the same place; near pixels of two labels must have
    an edge between them. Pairs with an ignored pixel take no part.

    Args:
        radius (int): Pairs are less than this many cells apart.
            Defaults to 10.
        affinity_weight (float): Weight of the terms on the edge, of which
            each counts half. Defaults to 1.
        displacement_weight (float): Weight of the terms on the displacement,
            of which each counts half. Defaults to 1.

    Shape:
        - edge: (N, 1, h, w) logits of an edge.
        - displacement: (N, 2, h, w) in cells, rows first.
        - labels: (N, h, w), 0 background, 255 ignored.
        - output: dict of scalars ``loss_aff_pos``, ``loss_aff_neg``,
          ``loss_dp_fg`` and ``loss_dp_bg``. Each is a mean over its pairs of
          the whole batch; over no pair it is 0.
    """

    def __init__(self,
                 radius: int = 10,
                 affinity_weight: float = 1.0,
                 displacement_weight: float = 1.0) -> None:
        super().__init__()
        self.radius = radius
        self.affinity_weight = affinity_weight
        self.displacement_weight = displacement_weight
        ends = torch.from_numpy(destinations(radius))
        self.source = int(place((0, 0), radius))
        self.register_buffer('ends', ends, persistent=False)
        self.register_buffer('places', place(ends, radius), persistent=False)

    @torch.no_grad()
    def pairs(self, labels: Tensor) -> Dict[str, Tensor]:
        """What is known about the pairs of near pixels.

        Args:
            labels (Tensor): (N, h, w), 0 background, 255 ignored.

        Returns:
            dict[str, Tensor]: ``bg_pos``, ``fg_pos``, ``neg``: (N, D, S)
            boolean, D destinations of S sources: see
            :func:`~mmktse.models.refiners.random_walk.neighbourhoods`.
        """
        near = neighbourhoods(labels[:, None].float(), self.radius)[:, 0]
        source, end = near[:, self.source], near[:, self.places]
        source = source[:, None].expand_as(end)
        known = (source != 255) & (end != 255)
        same = known & (source == end)
        return dict(
            bg_pos=same & (source == 0),
            fg_pos=same & (source > 0),
            neg=known & (source != end))

    def affinity_errors(self, edge: Tensor) -> Dict[str, Tensor]:
        """Cost (N, D, S) of every pair if it is alike, ``pos``, or not."""
        affinity = edge_to_affinity(edge[:, 0].sigmoid(), self.radius)
        return dict(
            pos=-(affinity + _EPS).log(), neg=-(1 + _EPS - affinity).log())

    def forward(self, edge: Tensor, displacement: Tensor,
                labels: Tensor) -> Dict[str, Tensor]:
        # Logarithms and differences of near values: no half precision.
        with torch.autocast(edge.device.type, enabled=False):
            return self._losses(edge.float(), displacement.float(),
                                self.pairs(labels))

    def _losses(self, edge: Tensor, displacement: Tensor,
                pairs: Dict[str, Tensor]) -> Dict[str, Tensor]:
        error = self.affinity_errors(edge)
        near = neighbourhoods(displacement, self.radius)
        # How much further the source has to go to where both point.
        gap = near[:, :, self.source, None] - near[:, :, self.places]
        both = {
            name: mask[:, None].expand_as(gap)
            for name, mask in pairs.items()
        }
        target = self.ends.to(gap).t()[:, :, None]
        half_aff = self.affinity_weight / 2
        half_dp = self.displacement_weight / 2
        bg_pos = masked_mean(error['pos'], pairs['bg_pos'], _EPS)
        fg_pos = masked_mean(error['pos'], pairs['fg_pos'], _EPS)
        return dict(
            loss_aff_pos=half_aff * (bg_pos + fg_pos) / 2,
            loss_aff_neg=half_aff *
            masked_mean(error['neg'], pairs['neg'], _EPS),
            loss_dp_fg=half_dp * masked_mean(
                (gap - target).abs(), both['fg_pos'], _EPS),
            loss_dp_bg=half_dp * masked_mean(gap.abs(), both['bg_pos'], _EPS))
