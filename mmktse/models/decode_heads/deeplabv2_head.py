# Copyright (c) mmktse authors. All rights reserved.
from typing import Sequence, Tuple

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmktse.registry import MODELS


class _ConvSum(nn.ModuleList):
    """Applies every convolution to the same input and adds the results."""

    def forward(self, x: Tensor) -> Tensor:
        return sum(conv(x) for conv in self)


@MODELS.register_module()
class DeepLabV2Head(BaseDecodeHead):
    """Head of `DeepLabV2 <https://arxiv.org/abs/1606.00915>`_.

    The class scores are the sum of parallel dilated 3x3 convolutions of the
    backbone's features, with biases and nothing between (ASPP-L of the
    paper). Weights start from N(0, 0.01), biases from 0.

    Args:
        in_channels (int): Channels of the feature map.
        dilations (Sequence[int]): Rate of each convolution, in feature cells.
            Defaults to (6, 12, 18, 24).
        dropout_ratio (float): Channel dropout of the features.
            Defaults to 0.
        loss_decode (dict): Loss. Defaults to the cross entropy, averaged over
            the pixels that are not ignored.
        **kwargs: The rest of mmseg's ``BaseDecodeHead``: ``num_classes``
            (background included), ``in_index``...

    Raises:
        ValueError: If ``dilations`` is empty or holds a rate below 1.
    """

    def __init__(self,
                 in_channels: int,
                 *,
                 dilations: Sequence[int] = (6, 12, 18, 24),
                 dropout_ratio: float = 0.,
                 loss_decode: dict = dict(
                     type='mmseg.CrossEntropyLoss', avg_non_ignore=True),
                 **kwargs) -> None:
        if not dilations or min(dilations) < 1:
            raise ValueError(
                f'dilations must be rates of at least 1, got {dilations}.')
        super().__init__(
            in_channels,
            in_channels,
            dropout_ratio=dropout_ratio,
            loss_decode=loss_decode,
            **kwargs)
        # In place of BaseDecodeHead's 1x1 convolution: `init_cfg` and
        # `cls_seg` of the base class then serve as they are.
        self.conv_seg = _ConvSum(
            nn.Conv2d(
                self.in_channels,
                self.out_channels,
                kernel_size=3,
                padding=dilation,
                dilation=dilation) for dilation in dilations)

    def forward(self, inputs: Tuple[Tensor]) -> Tensor:
        """Scores of every class.

        Args:
            inputs (tuple[Tensor]): Feature maps (N, in_channels, h, w).

        Returns:
            Tensor: Scores (N, num_classes, h, w).
        """
        return self.cls_seg(self._transform_inputs(inputs))
