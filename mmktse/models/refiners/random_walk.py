# Copyright (c) mmktse authors. All rights reserved.
"""Affinity from edges and the random walk along it (IRN)."""
from typing import List

import torch
import torch.nn.functional as F
from torch import Tensor

from .affinity_paths import destinations, straight_paths


def neighbourhoods(maps: Tensor, radius: int) -> Tensor:
    """What lies around every cell, towards the bottom and both sides.

    The sources are the cells whose neighbours all lie on the map:
    ``h - radius + 1`` rows from the top, ``w - 2 * (radius - 1)`` columns in
    the middle.

    Args:
        maps (Tensor): Maps (N, C, h, w), floating point.
        radius (int): Neighbours are less than this many cells away.

    Returns:
        Tensor: (N, C, radius * (2 * radius - 1), S): the values at the offsets
        (dy, dx), 0 <= dy < radius, -radius < dx < radius, of S sources.
        :func:`place` says where an offset is found.

    Raises:
        ValueError: If the maps are too small to hold a source.
    """
    window = (radius, 2 * radius - 1)
    if any(side < need for side, need in zip(maps.shape[2:], window)):
        raise ValueError(
            f'Maps of {maps.shape[2]}x{maps.shape[3]} cells are too small for '
            f'pairs within a radius of {radius}: they need at least '
            f'{window[0]}x{window[1]}, so take a larger crop or a smaller '
            'radius.')
    return F.unfold(maps, window).unflatten(1, (maps.shape[1], -1))


def place(offsets, radius: int) -> Tensor:
    """Where :func:`neighbourhoods` puts offsets (..., 2), as indices (...)."""
    offsets = torch.as_tensor(offsets)
    return offsets[..., 0] * (2 * radius - 1) + offsets[..., 1] + radius - 1


def edge_to_affinity(edge: Tensor, radius: int) -> Tensor:
    """Affinity of near cells: 1 minus the strongest edge between them.

    Args:
        edge (Tensor): Probability of an edge (N, h, w), in [0, 1].
        radius (int): Pairs are less than this many cells apart.

    Returns:
        Tensor: (N, D, S) in [0, 1], D :func:`destinations` of the S sources
        of :func:`neighbourhoods`.
    """
    near = neighbourhoods(edge[:, None], radius)[:, 0]
    strongest = [
        # Unlike amax, max keeps nothing but indices for the backward pass.
        near[:, place(group, radius).to(edge.device)].max(2).values
        for group in straight_paths(radius)
    ]
    return 1 - torch.cat(strongest, 1)


def _pair_slices(height: int, width: int, radius: int) -> List[tuple]:
    """Indices of the sources and of their neighbours at each destination."""
    pairs = []
    for dy, dx in destinations(radius).tolist():
        rows, columns = max(height - dy, 0), max(width - abs(dx), 0)
        left, right = max(-dx, 0), max(dx, 0)
        source = (..., slice(rows), slice(left, left + columns))
        end = (..., slice(dy, dy + rows), slice(right, right + columns))
        pairs.append((source, end))
    return pairs


@torch.no_grad()
def random_walk(cam: Tensor,
                edge: Tensor,
                beta: float = 10,
                log2_steps: int = 8,
                radius: int = 5) -> Tensor:
    """Spreads maps within the regions that edges bound.

    `IRN <https://arxiv.org/abs/1904.05044>`_, Sec. 5. A step replaces every
    value by the mean of the values around it and its own, weighted with the
    affinities to the power of ``beta`` and 1. The map is multiplied from the
    left by the transition matrix, whose columns sum to 1; as affinity is
    symmetric, that is this mean. The matrix is never formed: memory is
    linear in the number of cells, and no map is cut.

    Args:
        cam (Tensor): Maps (K, h, w).
        edge (Tensor): Probability of an edge (1, h, w), in [0, 1].
        beta (float): Power of the affinity. Defaults to 10.
        log2_steps (int): 2 to this power steps are made. Defaults to 8.
        radius (int): A step reaches cells less than this many cells away.
            Defaults to 5.

    Returns:
        Tensor: Maps (K, h, w) float32. What lies on an edge is weakened
        before the walk starts.
    """
    cam, edge = cam.float(), edge.float()
    height, width = cam.shape[-2:]
    margin = radius - 1
    # With a margin every cell of the map is a source.
    padded = F.pad(edge, (margin, margin, 0, margin), value=1.)
    affinity = edge_to_affinity(padded, radius)[0].pow_(beta)
    affinity = affinity.view(-1, height, width)
    pairs = _pair_slices(height, width, radius)
    weights = [weight[source] for weight, (source, _) in zip(affinity, pairs)]
    total = torch.ones_like(edge[0])
    for weight, (source, end) in zip(weights, pairs):
        total[source] += weight
        total[end] += weight

    now, later = cam * (1 - edge), torch.empty_like(cam)
    views, later_views = ([(maps[source], maps[end]) for source, end in pairs]
                          for maps in (now, later))
    for _ in range(2**log2_steps):
        later.copy_(now)
        for weight, old, new in zip(weights, views, later_views):
            new[0].addcmul_(weight, old[1])
            new[1].addcmul_(weight, old[0])
        later.div_(total)
        now, later = later, now
        views, later_views = later_views, views
    return now
