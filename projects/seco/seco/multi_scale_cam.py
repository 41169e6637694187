# Copyright (c) mmktse authors. All rights reserved.
from typing import Callable, List, Sequence, Tuple

import torch
from torch import Tensor

from mmktse.models.utils import resize

_EPS = 1e-5


@torch.no_grad()
def multi_scale_cam(network: Callable[[Tensor], Sequence[Tensor]],
                    images: Tensor, scales: Sequence[float]) -> List[Tensor]:
    """CAMs of all classes, merged over scales and mirrors (SeCo).

    Unlike :func:`mmktse.models.utils.merge_views`, which adds all views, an
    image and its mirror are merged by their maximum, and the lowest value of
    a class is brought to 0.

    Args:
        network (Callable): Maps images (2N, 3, h, w), the second half of
            which are mirrored, to a raw score map (2N, C, h', w') of each
            head.
        images (Tensor): Normalised images (N, 3, H, W).
        scales (Sequence[float]): Sizes relative to the images. Scale 1 comes
            first, always, and once.

    Returns:
        list[Tensor]: CAM (N, C, H, W) in [0, 1) of each head, in their order.
    """
    size = images.shape[2:]
    totals = []
    for scale in (1, *(scale for scale in scales if scale != 1)):
        view = images
        if scale != 1:
            view = resize(images, [int(side * scale) for side in size])
        heads = network(torch.cat((view, view.flip(-1))))
        cams = [_merge_mirror(maps, size) for maps in heads]
        # One sum at a time: the maps of all scales may not fit.
        totals = [a.add_(b) for a, b in zip(totals, cams)] or cams
    return [_stretch(total) for total in totals]


def _merge_mirror(maps: Tensor, size: Tuple[int, int]) -> Tensor:
    """Positive maps (N, C, H, W) of images and their mirrors (2N, ...)."""
    plain, mirrored = resize(maps.float(), size).chunk(2)
    return torch.maximum(plain, mirrored.flip(-1)).relu_()


def _stretch(cams: Tensor) -> Tensor:
    """Brings the values of every map (N, C, H, W) to [0, 1)."""
    cams = cams - cams.amin((2, 3), keepdim=True)
    return cams.div_(cams.amax((2, 3), keepdim=True) + _EPS)
