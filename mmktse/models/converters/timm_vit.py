# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict

from torch import Tensor

from .common import rename_all, without

# Theirs and ours within a block.
_LAYERS = {
    'norm1': 'ln1',
    'attn.qkv': 'attn.qkv',
    'attn.proj': 'attn.proj',
    'norm2': 'ln2',
    'mlp.fc1': 'ffn.layers.0.0',
    'mlp.fc2': 'ffn.layers.1'
}


def _names(depth: int) -> Dict[str, str]:
    layers = {'patch_embed.proj': 'patch_embed.projection', 'norm': 'ln1'}
    for block in range(depth):
        for theirs, ours in _LAYERS.items():
            layers[f'blocks.{block}.{theirs}'] = f'layers.{block}.{ours}'
    names = {name: name for name in ('cls_token', 'pos_embed')}
    for theirs, ours in layers.items():
        for kind in ('weight', 'bias'):
            names[f'{theirs}.{kind}'] = f'{ours}.{kind}'
    return names


def convert_timm_vit(state: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Renames timm's plain ViT for mmpretrain's ``VisionTransformer``.

    Args:
        state (dict): State dict with names such as
            ``blocks.0.attn.qkv.weight``, of any depth and width.

    Returns:
        dict: The same tensors in float32 under mmpretrain's names, without
        the classifier.

    Raises:
        ValueError: If a name is not one of this network, or one is missing.
    """
    blocks = {
        name.split('.')[1]
        for name in state if name.startswith('blocks.')
    }
    return rename_all(
        without(state, 'head.'), _names(len(blocks)), "timm's ViT")
