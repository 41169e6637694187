# Copyright (c) mmktse authors. All rights reserved.
from functools import partial
from typing import Optional

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torchvision.ops import deform_conv2d

from mmktse.registry import MODELS


@MODELS.register_module()
class DeformSampler(BaseModule):
    """Deformable convolution whose sampling points start where they belong.

    ``out(p) = sum_k W_k . x(p + p_k + o_k(p))``, bilinear, zero outside the
    map (deformable convolution v1: no modulation). The offsets ``o`` come
    from a convolution that starts at zero, the kernel ``W`` starts as the
    identity (Dirac): a sampler that was not trained returns what it gets, if
    that is nowhere negative. ESOL, figure of the two sampling stages.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int, optional): Channels of the output. Defaults to
            those of the input.
        kernel_size (int): Odd size of both convolutions. Defaults to 3.
        dilation (int): Dilation of the kernel. Defaults to 1.
        groups (int): Groups of the kernel. Defaults to 1.
        deform_groups (int): Groups of input channels with offsets of their
            own. Defaults to 1.
        act (bool): Whether to rectify the output. Defaults to True.
        max_offset (float, optional): Offsets are cut to +- this many cells of
            the map, and there get only gradients that move them inwards.
            Defaults to None: they are free.
        gradient_scale (float): Factor of the gradient where it enters the
            offsets. A negative one makes the offsets climb the loss that
            everything else descends. Defaults to 1.
    """

    def __init__(self,
                 in_channels: int,
                 out_channels: Optional[int] = None,
                 kernel_size: int = 3,
                 dilation: int = 1,
                 groups: int = 1,
                 deform_groups: int = 1,
                 act: bool = True,
                 max_offset: Optional[float] = None,
                 gradient_scale: float = 1.0) -> None:
        super().__init__()
        self.kernel = nn.Conv2d(
            in_channels,
            out_channels or in_channels,
            kernel_size,
            padding=kernel_size // 2 * dilation,
            dilation=dilation,
            groups=groups,
            bias=False)
        self.offset = nn.Conv2d(
            in_channels,
            2 * kernel_size**2 * deform_groups,
            kernel_size,
            padding=kernel_size // 2)
        self.act = act
        self.max_offset = max_offset
        self.gradient_scale = gradient_scale
        self.init_weights()

    def init_weights(self) -> None:
        """Kernel to the identity, offsets to zero."""
        nn.init.dirac_(self.kernel.weight, self.kernel.groups)
        nn.init.zeros_(self.offset.weight)
        nn.init.zeros_(self.offset.bias)

    def offsets(self, maps: Tensor) -> Tensor:
        """Displacements of the sampling points.

        Args:
            maps (Tensor): (N, in_channels, h, w).

        Returns:
            Tensor: (N, 2 * deform_groups * K * K, h, w) in cells of the map:
            (dy, dx) of every tap, taps row by row.
        """
        offsets = self.offset(maps)
        if offsets.requires_grad:
            offsets.register_hook(partial(self._gradient, offsets.detach()))
        if self.max_offset is None:
            return offsets
        cut = offsets.detach().clamp(-self.max_offset, self.max_offset)
        # What is added is zero, with the gradient that a clamp would stop.
        return cut + (offsets - offsets.detach())

    def _gradient(self, offsets: Tensor, grad: Tensor) -> Tensor:
        """What goes on to the offsets of a gradient that has reached them."""
        grad = self.gradient_scale * grad
        if self.max_offset is None:
            return grad
        # A step goes against its gradient.
        outwards = (offsets.abs() >= self.max_offset) & (grad * offsets < 0)
        return grad.masked_fill(outwards, 0.)

    def forward(self, maps: Tensor, held: bool = False) -> Tensor:
        """Samples maps anew.

        Args:
            maps (Tensor): (N, in_channels, h, w).
            held (bool): Hold the offsets at zero: a plain convolution.
                Defaults to False.

        Returns:
            Tensor: (N, out_channels, h, w).
        """
        if held:
            maps = self.kernel(maps)
        else:
            maps = deform_conv2d(
                maps,
                self.offsets(maps),
                self.kernel.weight,
                padding=self.kernel.padding,
                dilation=self.kernel.dilation)
        return torch.relu(maps) if self.act else maps
