# Copyright (c) mmktse authors. All rights reserved.
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmktse.registry import MODELS


@MODELS.register_module()
class SeCoProjector(BaseModule):
    """Maps class tokens to the unit sphere of queries and keys (SeCo).

    Three linear layers with GELU between them. The weight-normalised last
    layer that the published module also holds is never used and left out.

    Args:
        in_channels (int): Width of the tokens. Defaults to 768.
        hidden_channels (int): Width of both inner layers. Defaults to 2048.
        out_channels (int): Width of the queries. Defaults to 768.
        init_cfg (dict, optional): Initialisation of the layers.
    """

    def __init__(
        self,
        in_channels: int = 768,
        hidden_channels: int = 2048,
        out_channels: int = 768,
        init_cfg: dict = dict(type='TruncNormal', layer='Linear', std=.02)
    ) -> None:
        super().__init__(init_cfg)
        self.mlp = nn.Sequential(
            nn.Linear(in_channels, hidden_channels), nn.GELU(),
            nn.Linear(hidden_channels, hidden_channels), nn.GELU(),
            nn.Linear(hidden_channels, out_channels))

    def forward(self, tokens: Tensor) -> Tensor:
        """Unit vectors (..., out_channels) of tokens (..., in_channels)."""
        return F.normalize(self.mlp(tokens), dim=-1)
