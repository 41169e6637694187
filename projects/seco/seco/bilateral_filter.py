# Copyright (c) mmktse authors. All rights reserved.
"""Bilateral filter of score maps: exact, or on a permutohedral lattice.

The lattice is that of Adams et al. (Fast high-dimensional filtering using the
permutohedral lattice, Eurographics 2010): values are splatted to the corners
of the simplex around their feature, blurred along the axes of the lattice, and
gathered from the same corners.
"""
import math
from typing import Tuple

import torch
from torch import Tensor

# Pairs of points that the exact sum holds in memory.
_PAIRS_AT_ONCE = 2**24


def features(images: Tensor, sigma_rgb: float, sigma_xy: float) -> Tensor:
    """Places and colours in units of the widths.

    Args:
        images (Tensor): RGB images (N, 3, H, W) in 0 to 255.
        sigma_rgb (float): Width in grey levels.
        sigma_xy (float): Width in pixels.

    Returns:
        Tensor: (N, H * W, 5), x and y first.
    """
    rows, columns = torch.meshgrid(
        *(torch.arange(side, device=images.device).to(images)
          for side in images.shape[2:]),
        indexing='ij')
    places = torch.stack((columns, rows)) / sigma_xy
    places = places.expand(len(images), -1, -1, -1)
    return torch.cat((places, images / sigma_rgb), 1).flatten(2).mT


def exact_filter(points: Tensor, values: Tensor) -> Tensor:
    """Gaussian sums over all points of an image, each itself included.

    Args:
        points (Tensor): Features (N, P, D) in units of the width.
        values (Tensor): (N, P, C).

    Returns:
        Tensor: (N, P, C).
    """
    some = max(1, _PAIRS_AT_ONCE // points[..., 0].numel())
    # The plain formula: differences of near points stay exact.
    mode = 'donot_use_mm_for_euclid_dist'
    sums = []
    for part in points.split(some, dim=1):
        distance = torch.cdist(part, points, compute_mode=mode)
        sums.append(distance.square_().div_(-2).exp_() @ values)
    return torch.cat(sums, 1)


def lattice_filter(points: Tensor, values: Tensor) -> Tensor:
    """The same on the permutohedral lattice.

    Its cost grows with P, not with its square. The Gaussian is approximated,
    and the sums are smaller than the exact ones by a factor that depends on
    how dense the points lie; about one half on images.

    Args:
        points (Tensor): Features (N, P, D) in units of the width.
        values (Tensor): (N, P, C).

    Returns:
        Tensor: (N, P, C).
    """
    images, count, dims = points.shape
    corners, weights = _simplices(points.flatten(0, 1))
    # One integer for each corner. The range of a coordinate leaves room for
    # neighbours, so that neighbours of corners have no other's integer. The
    # last coordinate follows from the others, the image takes its place.
    corners = corners[..., :dims] - corners[..., :dims].amin((0, 1))
    spans = corners.amax((0, 1)) + 2 * dims + 1
    place = torch.cat((spans.new_ones(1), spans.cumprod(0)))
    image = torch.arange(images, device=points.device)
    codes = (corners * place[:-1]).sum(-1)
    codes += (image * place[-1]).repeat_interleave(count)[:, None]
    vertices, index = codes.unique(return_inverse=True)

    splat = weights[..., None] * values.flatten(0, 1)[:, None]
    # The last row stands for corners that do not exist.
    grid = splat.new_zeros(len(vertices) + 1, values.shape[-1])
    grid.index_add_(0, index.flatten(), splat.flatten(0, 1))
    # Along an axis all coordinates grow by 1, except its own.
    step = place[:-1].sum()
    for own in (*((dims + 1) * place[:-1]), 0):
        near = sum(grid[_find(vertices, vertices + sign * (step - own))]
                   for sign in (1, -1))
        grid[:-1] += near / 2
    result = (grid[index] * weights[..., None]).sum(1)
    return result.view(images, count, -1) / (1 + 2**-dims)


def _find(vertices: Tensor, wanted: Tensor) -> Tensor:
    """Rows of codes among sorted ones; one past the end for those missing."""
    row = torch.searchsorted(vertices, wanted).clamp_max_(len(vertices) - 1)
    return torch.where(vertices[row] == wanted, row, len(vertices))


def _simplices(points: Tensor) -> Tuple[Tensor, Tensor]:
    """Corners around every point and their barycentric weights.

    Args:
        points (Tensor): Features (P, D).

    Returns:
        tuple[Tensor, Tensor]: Coordinates (P, D + 1, D + 1) long of the
        D + 1 corners, each with a sum of zero; weights (P, D + 1) of the
        corners, which sum to one.
    """
    dims = points.shape[1]
    sides = dims + 1
    axis = torch.arange(1, sides, device=points.device)
    # Onto the hyperplane of zero sum; the blur has the width of the kernel.
    width = math.sqrt(2 / 3) * sides
    scaled = points * width / (axis * (axis + 1)).sqrt()
    tails = scaled.flip(1).cumsum(1).flip(1)
    tails = torch.cat((tails, torch.zeros_like(tails[:, :1])), 1)
    elevated = torch.cat((tails[:, :1], tails[:, 1:] - axis * scaled), 1)

    # The nearest corner whose coordinates are multiples of D + 1.
    multiple = (elevated / sides).round()
    excess = multiple.sum(1, keepdim=True).long()
    order = (elevated - multiple * sides).argsort(
        dim=1, descending=True, stable=True)
    rank = order.argsort(dim=1) + excess
    # Rounded coordinates with a sum that is not zero are moved back to it.
    over = torch.div(rank, sides, rounding_mode='floor')
    rank = rank - over * sides
    base = (multiple.long() - over) * sides

    part = (elevated - base) / sides
    weights = points.new_zeros(len(points), sides + 1)
    weights.scatter_add_(1, dims - rank, part)
    weights.scatter_add_(1, sides - rank, -part)
    weights[:, 0] += 1 + weights[:, sides]
    remainder = torch.arange(sides, device=points.device)[:, None]
    beyond = rank[:, None] > dims - remainder
    corners = base[:, None] + remainder - beyond * sides
    return corners, weights[:, :sides]


def bilateral_filter(images: Tensor,
                     scores: Tensor,
                     sigma_rgb: float,
                     sigma_xy: float,
                     exact: bool = False) -> Tensor:
    """Sums of scores over pixels that are near and alike, not normalised.

    Args:
        images (Tensor): RGB images (N, 3, H, W) in 0 to 255.
        scores (Tensor): (N, C, H, W).
        sigma_rgb (float): Width in grey levels.
        sigma_xy (float): Width in pixels.
        exact (bool): Whether to add over all pairs of pixels, the cost of
            which grows with (H * W) ** 2, in place of the lattice of the
            published code. Defaults to False.

    Returns:
        Tensor: (N, C, H, W).
    """
    run = exact_filter if exact else lattice_filter
    points = features(images, sigma_rgb, sigma_xy)
    return run(points, scores.flatten(2).mT).mT.view_as(scores)
