# Copyright (c) mmktse authors. All rights reserved.
from typing import Optional, Tuple

from mmengine.model import BaseModule
from torch import Tensor, nn
from torchvision.models import vgg16

from mmktse.registry import MODELS

# Places of the pools in torchvision's list of layers.
_POOLS = (4, 9, 16, 23, 30)


@MODELS.register_module()
class VGG16LargeFOV(BaseModule):
    """VGG-16 with a large field of view, as in DeepLab, at stride 8.

    Torchvision's convolutions under torchvision's names, with the last two
    pools at stride 1, the fifth block dilated by 2, and the first two fully
    connected layers as convolutions of 1024 channels, the first of them
    dilated by 12. A side of s pixels becomes ceil(s / 8) positions.

    Args:
        frozen_stages (int): Number of blocks that are not trained. Defaults
            to 2.
        drop_rate (float): Dropout after both fully connected layers. Defaults
            to 0.5.
        init_cfg (dict, optional): Initialisation;
            ``mmktse.TorchvisionVGG16Pretrained`` fills all layers with
            ImageNet weights.
    """

    def __init__(
        self,
        frozen_stages: int = 2,
        drop_rate: float = 0.5,
        init_cfg: Optional[dict] = dict(
            type='Kaiming', layer='Conv2d', mode='fan_in')
    ) -> None:
        super().__init__(init_cfg)
        self.features = vgg16(weights=None, init_weights=False).features
        for index, place in enumerate(_POOLS):
            self.features[place] = nn.MaxPool2d(3, 2 if index < 3 else 1, 1)
        for layer in self.features[_POOLS[3]:]:
            if isinstance(layer, nn.Conv2d):
                layer.dilation = layer.padding = (2, 2)
        self.fc6 = nn.Conv2d(512, 1024, 3, padding=12, dilation=12)
        self.fc7 = nn.Conv2d(1024, 1024, 1)
        self.dropout = nn.Dropout(drop_rate)
        if frozen_stages:
            self.features[:_POOLS[frozen_stages - 1]].requires_grad_(False)

    def forward(self, x: Tensor) -> Tuple[Tensor]:
        """Maps (N, 1024, ceil(H / 8), ceil(W / 8)) of images (N, 3, H, W)."""
        x = self.features(x)
        for layer in (self.fc6, self.fc7):
            x = self.dropout(layer(x).relu())
        return (x, )
