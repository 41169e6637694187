# Copyright (c) mmktse authors. All rights reserved.
from typing import Tuple

from mmpretrain.models import VisionTransformer
from torch import Tensor

from mmktse.registry import MODELS


@MODELS.register_module()
class SeCoViT(VisionTransformer):
    """mmpretrain's ``VisionTransformer`` as SeCo uses it.

    It gives the maps of two blocks and the class token. Images that patches
    do not divide lose their last rows and columns instead of being padded.

    Args:
        aux_layer (int): Block whose output, without the final normalisation,
            is the auxiliary map. Defaults to -3.
        freeze_pos_embed (bool): Whether the position table stays as it is, as
            published: for pretrained weights. Defaults to True.
        **kwargs: Arguments of ``mmpretrain.VisionTransformer``.
    """

    def __init__(self,
                 *args,
                 aux_layer: int = -3,
                 freeze_pos_embed: bool = True,
                 **kwargs) -> None:
        super().__init__(
            *args,
            out_indices=[aux_layer, -1],
            out_type='raw',
            patch_cfg=dict(padding=0),
            **kwargs)
        self.pos_embed.requires_grad_(not freeze_pos_embed)

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        """Features of images.

        Args:
            x (Tensor): Images (N, 3, H, W).

        Returns:
            tuple[Tensor, Tensor, Tensor]: Auxiliary map and last map, both
            (N, D, H // 16, W // 16) for patches of 16 pixels, and class token
            (N, D); the latter two normalised.
        """
        (_, aux), (token, last) = super().forward(x)
        return aux, last, token

    def _format_output(self, x: Tensor, hw: Tuple[int, int]) -> tuple:
        return x[:, 0], x[:, 1:].transpose(1, 2).unflatten(2, hw)
