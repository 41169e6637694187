# Copyright (c) mmktse authors. All rights reserved.
from typing import Callable, List, Optional, Sequence, Tuple

import torch
from torch import Tensor

from mmktse.models.utils import resize

_EPS = 1e-5


@torch.no_grad()
def multi_scale_cam(network: Callable[[Tensor], Sequence[Tensor]],
                    images: Tensor,
                    scales: Sequence[float],
                    known: Optional[Sequence[Tensor]] = None) -> List[Tensor]:
    """CAMs of all classes, merged over scales and mirrors (SeCo).

    Unlike :func:`mmktse.models.utils.merge_views`, which adds all views, an
    image and its mirror are merged by their maximum, and the lowest value of
    a class is brought to 0.

    Args:
        network (Callable): Maps images (N, 3, h, w) or, with their mirrored
            ones behind them, (2N, 3, h, w) to a raw score map of each head,
            (N, C, h', w') or (2N, C, h', w').
        images (Tensor): Normalised images (N, 3, H, W).
        scales (Sequence[float]): Sizes relative to the images. Scale 1 comes
            first, always, and once.
        known (Sequence[Tensor], optional): What ``network`` makes of the
            images, if it has seen them already. Defaults to None.

    Returns:
        list[Tensor]: CAM (N, C, H, W) in [0, 1) of each head, in their order.
    """
    size = images.shape[2:]
    totals = []
    for scale in (1, *(scale for scale in scales if scale != 1)):
        if scale == 1 and known is not None:
            heads = [
                torch.cat(pair)
                for pair in zip(known, network(images.flip(-1)))
            ]
        else:
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
