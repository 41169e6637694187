# Copyright (c) mmktse authors. All rights reserved.
from typing import Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor


def choose_paste(label: Tensor,
                 num_classes: int,
                 confident: Optional[Tensor] = None,
                 void: int = 255) -> Tensor:
    """Pixels of half of the classes of every image, for ClassMix.

    Of n foreground classes ``ceil(n / 2)`` are drawn, all choices being
    equally likely. Nothing waits for the device.

    Args:
        label (Tensor): Label maps (N, H, W) long, 0 background.
        num_classes (int): Number of classes, background included.
        confident (Tensor, optional): (N, H, W) bool; other pixels neither
            make a class present nor are taken. Defaults to None: all count.
        void (int): Label of ignored pixels, which are never taken.

    Returns:
        Tensor: (N, H, W) bool, all false for an image without foreground.
    """
    usable = (label != 0) & (label != void)
    if confident is not None:
        usable &= confident
    # Unusable pixels count for the background, which is never chosen.
    index = torch.where(usable, label, 0).flatten(1)
    present = torch.zeros(
        len(label), num_classes, device=label.device).scatter_(1, index, 1.)
    present[:, 0] = 0
    order = torch.where(present > 0, torch.rand_like(present), 2.)
    rank = order.argsort(dim=1).argsort(dim=1)
    count = (present.sum(dim=1, keepdim=True) / 2).ceil()
    chosen = (present > 0) & (rank < count)
    return chosen.gather(1, index).view_as(usable)


def partner(x: Tensor) -> Tensor:
    """For every entry of a batch the one that is half a batch away."""
    return x.roll(len(x) // 2, dims=0)


def class_mix(images: Tensor, given: Tuple[Tensor, Tensor],
              online: Tuple[Tensor, Tensor], paste: Tensor,
              mixed: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    """Pastes objects of each image's :func:`partner` into it.

    `ClassMix <https://arxiv.org/abs/2007.07936>`_ as BECO uses it: a mixed
    image takes labels and confidence of the networks on both sides of the
    paste, an unmixed one keeps what was given with it.

    Args:
        images (Tensor): (N, 3, H, W).
        given (tuple[Tensor, Tensor]): Labels (N, H, W) long and confidence
            (N, H, W) bool of the pseudo-label folder.
        online (tuple[Tensor, Tensor]): The same of the networks.
        paste (Tensor): (N, H, W) bool, what is taken from the partner.
        mixed (Tensor): (N,) bool, which images are mixed.

    Returns:
        tuple[Tensor, Tensor, Tensor]: Images, labels and confidence.
    """

    def join(value: Tensor, where: Tensor) -> Tensor:
        return torch.where(where, partner(value), value)

    which = mixed[:, None, None]
    label, confidence = (torch.where(which, join(o, paste), g)
                         for g, o in zip(given, online))
    images = torch.where(which[:, None], join(images, paste[:, None]), images)
    return images, label, confidence


def boundary(mask: Tensor, size: int = 1) -> Tensor:
    """Pixels whose neighbourhood lies partly inside a mask.

    Dilation less erosion; what is outside the picture counts for neither.

    Args:
        mask (Tensor): (N, H, W) bool.
        size (int): The neighbourhood is a square of 2 * size + 1 pixels.

    Returns:
        Tensor: (N, H, W) bool.
    """
    x = mask.float()[:, None]
    dilated = F.max_pool2d(x, 2 * size + 1, stride=1, padding=size)
    eroded = -F.max_pool2d(-x, 2 * size + 1, stride=1, padding=size)
    return (dilated > eroded)[:, 0]
