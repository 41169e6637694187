# Copyright (c) mmktse authors. All rights reserved.
from collections import OrderedDict
from typing import Optional, Sequence, Tuple

import torch
import torch.utils.checkpoint as cp
from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmktse.registry import MODELS


def _conv(in_channels: int,
          out_channels: int,
          size: int,
          stride: int = 1,
          dilation: int = 1) -> nn.Conv2d:
    return nn.Conv2d(
        in_channels,
        out_channels,
        size,
        stride,
        padding=dilation * (size // 2),
        dilation=dilation,
        bias=False)


class PreActUnit(nn.Module):
    """Residual unit that normalises before it convolves.

    A shortcut convolution, where there is one, sees the normalised and
    rectified input, not the input itself.

    Args:
        in_channels (int): Channels of the input.
        branches (Sequence[nn.Conv2d]): Two or three convolutions; the last
            one gives the output.
        names (Sequence[str]): Suffixes of their names, as in the released
            weights.
        norm_cfg (dict): Normalisation layers.
        shortcut (nn.Conv2d, optional): None passes the input on.
        drop_rate (float): Dropout of whole channels before the second and the
            third convolution.
    """

    def __init__(self,
                 in_channels: int,
                 branches: Sequence[nn.Conv2d],
                 names: Sequence[str],
                 norm_cfg: dict,
                 shortcut: Optional[nn.Conv2d] = None,
                 drop_rate: float = 0.) -> None:
        super().__init__()
        self.names = names
        for name, conv in zip(names, branches):
            self.add_module(f'bn_branch{name}',
                            build_norm_layer(norm_cfg, conv.in_channels)[1])
            self.add_module(f'conv_branch{name}', conv)
        self.conv_branch1 = shortcut
        self.relu = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout2d(drop_rate) if drop_rate else None

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C_in, H, W) to (N, C_out, ceil(H/s), ceil(W/s))."""
        shortcut = x
        for index, name in enumerate(self.names):
            x = self.relu(getattr(self, f'bn_branch{name}')(x))
            if index == 0 and self.conv_branch1 is not None:
                shortcut = self.conv_branch1(x)
            if index and self.dropout is not None:
                x = self.dropout(x)
            x = getattr(self, f'conv_branch{name}')(x)
        return shortcut + x


def _basic_unit(in_channels, mid_channels, out_channels, stride, dilations,
                norm_cfg):
    shortcut = None
    if in_channels != out_channels or stride != 1:
        shortcut = _conv(in_channels, out_channels, 1, stride)
    return PreActUnit(
        in_channels,
        (_conv(in_channels, mid_channels, 3, stride, dilations[0]),
         _conv(mid_channels, out_channels, 3, 1, dilations[1])), ('2a', '2b1'),
        norm_cfg, shortcut)


def _bottleneck_unit(in_channels, out_channels, dilation, norm_cfg, drop_rate):
    quarter, half = out_channels // 4, out_channels // 2
    return PreActUnit(
        in_channels,
        (_conv(in_channels, quarter, 1), _conv(quarter, half, 3, 1, dilation),
         _conv(half, out_channels, 1)), ('2a', '2b1', '2b2'), norm_cfg,
        _conv(in_channels, out_channels, 1), drop_rate)


@MODELS.register_module()
class ResNet38d(BaseModule):
    """ResNet-38, model A1 of `Wider or Deeper <https://arxiv.org/abs/
    1611.10080>`_, dilated to stride 8.

    The backbone of PSA, SEAM, AEFT and KTSE. Parameters bear the names of the
    released weights. A side of s pixels becomes ceil(s / 8) positions.

    Args:
        out_indices (Sequence[int]): Stages to return: 0 to 5 are b2 to b7
            with 128, 256, 512, 1024, 2048 and 4096 channels. The last one is
            normalised and rectified, the others are the bare sums of their
            last unit. Defaults to (5, ).
        frozen_stages (int): The stem (0) and as many stages are not trained;
            -1 trains all. Defaults to 1, as published.
        norm_cfg (dict): Normalisation layers; by default their scales and
            shifts are frozen.
        norm_eval (bool): Normalise with the pretrained running statistics in
            training too. Defaults to True.
        drop_rate (float): Dropout of whole channels within the bottlenecks b6
            and b7. Defaults to 0.2, the rate of KTSE.
        with_cp (bool): Recompute the units in the backward pass, which saves
            memory. Defaults to False.
        init_cfg (dict, optional): Initialisation.
    """

    # Name, output channels, units, stride.
    BASIC_STAGES = (('b2', 128, 3, 2), ('b3', 256, 3, 2), ('b4', 512, 6, 2),
                    ('b5', 1024, 3, 1))
    BOTTLENECKS = (('b6', 2048), ('b7', 4096))

    def __init__(
        self,
        out_indices: Sequence[int] = (5, ),
        frozen_stages: int = 1,
        norm_cfg: dict = dict(type='BN', requires_grad=False),
        norm_eval: bool = True,
        drop_rate: float = 0.2,
        with_cp: bool = False,
        init_cfg: Optional[dict] = dict(
            type='Kaiming', layer='Conv2d', mode='fan_in')
    ) -> None:
        super().__init__(init_cfg)
        self.out_indices = out_indices
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval
        self.with_cp = with_cp
        self.stages = OrderedDict()
        self.conv1a = _conv(3, 64, 3)
        channels = 64
        for stage, out_channels, units, stride in self.BASIC_STAGES:
            self.stages[stage] = []
            for index in range(units):
                first = index == 0
                mid, dilations = out_channels, (1, 1)
                if stage == 'b5':
                    mid = 512
                    dilations = (1, 2) if first else (2, 2)
                self._add(
                    stage, index,
                    _basic_unit(channels, mid, out_channels,
                                stride if first else 1, dilations, norm_cfg))
                channels = out_channels
        for stage, out_channels in self.BOTTLENECKS:
            self.stages[stage] = []
            self._add(
                stage, 0,
                _bottleneck_unit(channels, out_channels, 4, norm_cfg,
                                 drop_rate))
            channels = out_channels
        self.bn7 = build_norm_layer(norm_cfg, channels)[1]
        self.relu = nn.ReLU(inplace=True)
        self._freeze()

    def _add(self, stage: str, index: int, unit: nn.Module) -> None:
        name = f'{stage}_{index}' if index else stage
        self.add_module(name, unit)
        self.stages[stage].append(name)

    def _freeze(self) -> None:
        if self.frozen_stages < 0:
            return
        self.conv1a.requires_grad_(False)
        for units in list(self.stages.values())[:self.frozen_stages]:
            for name in units:
                getattr(self, name).requires_grad_(False)

    def forward(self, x: Tensor) -> Tuple[Tensor, ...]:
        """Maps of images (N, 3, H, W), one for each of ``out_indices``."""
        x = self.conv1a(x)
        outs = []
        for index, units in enumerate(self.stages.values()):
            for name in units:
                unit = getattr(self, name)
                if self.with_cp and torch.is_grad_enabled():
                    x = cp.checkpoint(unit, x, use_reentrant=False)
                else:
                    x = unit(x)
            if index in self.out_indices:
                outs.append(x)
        if len(self.stages) - 1 in self.out_indices:
            outs[-1] = self.relu(self.bn7(x))
        return tuple(outs)

    def train(self, mode: bool = True) -> 'ResNet38d':
        """Sets the mode; batch norms stay in eval mode if ``norm_eval``."""
        super().train(mode)
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self
