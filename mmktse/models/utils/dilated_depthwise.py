# Copyright (c) mmktse authors. All rights reserved.
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SplitDepthwiseConv2d(nn.Conv2d):
    """Dilated depthwise convolution that trains faster on a CPU.

    With dilation d, pixels whose coordinates differ modulo d never meet: the
    image is d * d smaller ones, convolved without dilation, for which the
    backward pass is several times faster. Same weights, same result up to
    rounding. Without gradients and on a GPU it is the plain convolution.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Convolves (N, C, H, W)."""
        if x.is_cuda or not (torch.is_grad_enabled()
                             and self.weight.requires_grad):
            return super().forward(x)
        num, channels, height, width = x.shape
        down, across = self.dilation
        # Channels last, so that whole pixels are moved.
        x = x.permute(0, 2, 3, 1)
        uneven = height % down or width % across
        if uneven:
            x = F.pad(x, (0, 0, 0, -width % across, 0, -height % down))
        rows, columns = x.shape[1] // down, x.shape[2] // across
        x = x.reshape(num, rows, down, columns, across, channels)
        x = x.permute(0, 2, 4, 1, 3, 5).reshape(-1, rows, columns, channels)
        x = F.conv2d(
            x.permute(0, 3, 1, 2),
            self.weight,
            self.bias,
            padding=tuple(size // 2 for size in self.kernel_size),
            groups=channels).permute(0, 2, 3, 1)
        x = x.reshape(num, down, across, rows, columns, channels)
        x = x.permute(0, 3, 1, 4, 2, 5).reshape(num, rows * down, -1, channels)
        if uneven:
            x = x[:, :height, :width]
        return x.permute(0, 3, 1, 2)


def _splits(conv: nn.Module) -> bool:
    return (type(conv) is nn.Conv2d
            and conv.groups == conv.in_channels == conv.out_channels
            and max(conv.dilation) > 1 and conv.stride == (1, 1)
            and conv.padding_mode == 'zeros'
            and all(size % 2 and padding == dilation * (size // 2)
                    for size, padding, dilation in zip(
                        conv.kernel_size, conv.padding, conv.dilation)))


def split_dilated_depthwise(module: nn.Module) -> nn.Module:
    """Lets the dilated depthwise convolutions of a network train faster.

    Args:
        module (nn.Module): Network; changed in place, names and weights stay.

    Returns:
        nn.Module: The same network.
    """
    for parent in list(module.modules()):
        for name, conv in parent.named_children():
            if _splits(conv):
                split = SplitDepthwiseConv2d(
                    conv.in_channels,
                    conv.out_channels,
                    conv.kernel_size,
                    padding=conv.padding,
                    dilation=conv.dilation,
                    groups=conv.groups,
                    bias=conv.bias is not None,
                    device='meta')
                split.weight, split.bias = conv.weight, conv.bias
                setattr(parent, name, split)
    return module
