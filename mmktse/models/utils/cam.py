# Copyright (c) mmktse authors. All rights reserved.
"""Normalisations of class activation maps.

KTSE uses a different normalisation at each place; they are kept apart here
and must not be merged into one.
"""
from typing import Sequence, Tuple

import torch.nn.functional as F
from torch import Tensor

EPS = 1e-5


def resize(maps: Tensor, size: Tuple[int, int]) -> Tensor:
    """Bilinear resize of maps (N, C, h, w) to ``size`` = (H, W)."""
    return F.interpolate(maps, size=size, mode='bilinear', align_corners=False)


def erasing_norm(scores: Tensor) -> Tensor:
    """Min-max normalisation behind the erasing mask.

    Args:
        scores (Tensor): Raw class scores (N, C, h, w).

    Returns:
        Tensor: Same shape, in [0, 1).
    """
    positive = scores.relu()
    high = positive.amax((2, 3), keepdim=True)
    low = positive.amin((2, 3), keepdim=True)
    return (positive - low - EPS).relu() / (high - low + EPS)


def label_norm(scores: Tensor) -> Tensor:
    """Division by the peak, signs kept, behind the online pseudo labels.

    A map whose peak is not positive has no meaning after this division (its
    signs flip); callers leave such classes out.

    Args:
        scores (Tensor): Raw class scores (N, C, h, w).

    Returns:
        Tensor: Same shape, at most 1 where the peak is positive.
    """
    return scores / (scores.amax((2, 3), keepdim=True) + EPS)


def foreground_cam(scores: Tensor, targets: Tensor,
                   size: Tuple[int, int]) -> Tensor:
    """Strongest normalised map of the present classes at every position.

    Args:
        scores (Tensor): Raw class scores (N, C, h, w).
        targets (Tensor): Image-level labels (N, C), 0 or 1.
        size (tuple[int, int]): Output size (H, W). The rectified scores are
            resized before they are normalised.

    Returns:
        Tensor: (N, 1, H, W) in [0, 1).
    """
    positive = scores.relu()
    if tuple(size) != tuple(scores.shape[2:]):
        positive = resize(positive, size)
    cam = erasing_norm(positive) * targets[:, :, None, None]
    return cam.amax(1, keepdim=True)


def merge_views(views: Sequence[Tensor], size: Tuple[int, int]) -> Tensor:
    """Merges the score maps of several views of one image.

    Every view is resized to the image, rectified and summed; the sum is
    divided by its peak per class.

    Args:
        views (Sequence[Tensor]): Un-flipped raw scores (V_i, K, h_i, w_i) of
            V_i views of one scale each.
        size (tuple[int, int]): Image size (H, W).

    Returns:
        Tensor: CAM (K, H, W) in [0, 1). A class that is nowhere positive
        has a map of zeros.
    """
    if views[0].shape[1] == 0:
        return views[0].new_zeros((0, *size))
    total = sum(resize(view, size).relu().sum(0) for view in views)
    return total / (total.amax((1, 2), keepdim=True) + EPS)


def merge_pairs(views: Sequence[Tensor], size: Tuple[int, int]) -> Tensor:
    """Merges the score maps of several scales as IRN does.

    Unlike :func:`merge_views`, an image and its mirror are added before they
    are rectified, and rectified before they are resized, to the next multiple
    of 16 of which the image is cut out.

    Args:
        views (Sequence[Tensor]): Un-flipped raw scores (2, K, h_i, w_i) of
            the image and of its mirror, one for each scale.
        size (tuple[int, int]): Image size (H, W).

    Returns:
        Tensor: CAM (K, H, W) in [0, 1).
    """
    if views[0].shape[1] == 0:
        return views[0].new_zeros((0, *size))
    full = tuple(-(-side // 16) * 16 for side in size)
    total = sum(
        resize(view.sum(0, keepdim=True).relu(), full)[0] for view in views)
    total = total[:, :size[0], :size[1]]
    return total / (total.amax((1, 2), keepdim=True) + EPS)
