# Copyright (c) mmktse authors. All rights reserved.
import math
from typing import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_DIRECTIONS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0),
               (1, 1))


class PAR(nn.Module):
    """Pixel-adaptive refinement (Ru et al., CVPR 2022, AFA).

    Scores spread over eight neighbours at every dilation, weighted by colour
    likeness and distance. The operation is linear in the scores and has no
    parameters. The weights of a pixel sum to ``1 + w2``, so that a constant
    map grows by that factor in every iteration.

    Args:
        dilations (Sequence[int]): Neighbour distances in pixels.
        num_iters (int): Number of iterations. Defaults to 10.
        w1 (float): Bandwidth of colour and of distance. Defaults to 0.3.
        w2 (float): Weight of the distance term. Defaults to 0.01.
    """

    def __init__(self,
                 dilations: Sequence[int] = (1, 2, 4, 8, 12, 24),
                 num_iters: int = 10,
                 w1: float = 0.3,
                 w2: float = 0.01) -> None:
        super().__init__()
        self.num_iters = num_iters
        self.w1 = w1
        self.w2 = w2
        self.pad = max(dilations)
        self.offsets = [(d * dy, d * dx) for d in dilations
                        for dy, dx in _DIRECTIONS]
        distance = torch.tensor(
            [math.hypot(dy, dx) for dy, dx in self.offsets])
        position = -(distance / (distance.std() + 1e-8) / w1)**2
        self.register_buffer(
            'position', w2 * position.softmax(0), persistent=False)

    @property
    def gain(self) -> float:
        """Factor by which all iterations together raise a constant map."""
        return (1 + self.w2)**self.num_iters

    def _neighbours(self, maps: Tensor):
        """Yields the (N, C, H, W) neighbours, dilation by dilation."""
        height, width = maps.shape[-2:]
        p = self.pad
        padded = F.pad(maps, (p, p, p, p), mode='replicate')
        for dy, dx in self.offsets:
            yield padded[..., p + dy:p + dy + height, p + dx:p + dx + width]

    @torch.no_grad()
    def affinity(self, images: Tensor) -> Tensor:
        """Weights of the neighbours of every pixel.

        Args:
            images (Tensor): RGB images (N, 3, H, W) in [0, 1].

        Returns:
            Tensor: (N, 8 * len(dilations), H, W), each summing to ``1 + w2``.
        """
        images = images.float()
        weight = 0
        for channel in images.split(1, dim=1):
            near = torch.cat(list(self._neighbours(channel)), dim=1)
            # Many times faster on a CPU than near.std.
            square = (near - near.mean(1, keepdim=True)).square_()
            std = (square.sum(1, keepdim=True) / (near.shape[1] - 1)).sqrt()
            near.sub_(channel).div_((std + 1e-8) * self.w1).square_()
            weight = near.add_(weight)
        weight = weight.div_(-images.shape[1]).softmax(1)
        return weight.add_(self.position[:, None, None])

    @torch.no_grad()
    def propagate(self, masks: Tensor, affinity: Tensor) -> Tensor:
        """Runs all iterations on masks (N, C, H, W)."""
        for _ in range(self.num_iters):
            # Accumulating keeps one map in memory instead of 48.
            result = torch.zeros_like(masks)
            for k, near in enumerate(self._neighbours(masks)):
                result.addcmul_(near, affinity[:, k:k + 1])
            masks = result
        return masks

    def forward(self, images: Tensor, masks: Tensor) -> Tensor:
        """Refines scores on images.

        Args:
            images (Tensor): RGB images (N, 3, H, W) in [0, 1].
            masks (Tensor): Scores (N, C, h, w), resized to the images.

        Returns:
            Tensor: Refined scores (N, C, H, W), no gradient.
        """
        masks = masks.detach().float()
        if masks.shape[2:] != images.shape[2:]:
            masks = F.interpolate(
                masks,
                size=images.shape[2:],
                mode='bilinear',
                align_corners=True)
        return self.propagate(masks, self.affinity(images))
