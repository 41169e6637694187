# Copyright (c) mmktse authors. All rights reserved.
from typing import Tuple

import torch
from mmpretrain.models.backbones import TIMMBackbone as _TIMMBackbone
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from mmktse.registry import MODELS
from ..utils.dilated_depthwise import split_dilated_depthwise


@MODELS.register_module()
class TIMMBackbone(_TIMMBackbone):
    """mmpretrain's ``TIMMBackbone`` whose batch norms can stay frozen.

    Small crops in small batches are poor statistics; the other backbones of
    OpenMMLab have the same switch. It computes in the channels-last memory
    layout: the same numbers, faster on a CPU.

    Args:
        norm_eval (bool): Normalise with the pretrained running statistics in
            training too. Scales and shifts are trained all the same.
            Defaults to False.
        **kwargs: Arguments of ``mmpretrain.TIMMBackbone``.
    """

    def __init__(self, *args, norm_eval: bool = False, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.norm_eval = norm_eval
        split_dilated_depthwise(self).to(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> Tuple[Tensor, ...]:
        """Features of images (N, 3, H, W): (N, C, h, w) of each stage."""
        return super().forward(x.contiguous(memory_format=torch.channels_last))

    def train(self, mode: bool = True) -> 'TIMMBackbone':
        """Sets the mode, except that of frozen batch norms."""
        super().train(mode)
        if self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self
