# Copyright (c) mmktse authors. All rights reserved.
import re
from typing import Dict

from torch import Tensor

from mmktse.registry import WEIGHT_INITIALIZERS
from .common import ConvertedInit, load_weights, place, rename

# Blocks of every layer.
_DEPTHS = (1, 2, 3, 4, 3, 3, 1)


def _mobilenet_name(name: str) -> str:
    head = re.fullmatch(r'classifier\.1\.(\w+)', name)
    if head:
        return f'classifier.{head[1]}'
    found = re.fullmatch(r'features\.(\d+)\.(.+)\.(\w+)', name)
    if found is None:
        raise KeyError(name)
    index, layer, kind = int(found[1]), found[2], found[3]
    parts = {'0': 'conv', '1': 'bn'}
    if index in (0, 18):
        return f'conv{1 if index == 0 else 2}.{parts[layer]}.{kind}'
    stage, block = place(index - 1, _DEPTHS)
    # The last two entries of torchvision's block are the bare projection and
    # its normalisation; what precedes them are (conv, bn, act) groups.
    last = 1 if stage == 0 else 2
    names = {f'conv.{last}': (last, 'conv'), f'conv.{last + 1}': (last, 'bn')}
    for group in range(last):
        for number, part in parts.items():
            names[f'conv.{group}.{number}'] = (group, part)
    position, part = names[layer]
    return f'layer{stage + 1}.{block}.conv.{position}.{part}.{kind}'


def convert_torchvision_mobilenet_v2(
        state: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Renames torchvision's MobileNetV2 weights to OpenMMLab's names.

    The names are those of ``mmseg.MobileNetV2``; the last 1x1 convolution,
    which only ``mmpretrain.MobileNetV2`` has, becomes ``conv2``.

    Args:
        state (dict): State dict with torchvision's names
            (``features.1.conv.0.0.weight`` ...), of any float type. Weights
            that come from TensorFlow need
            ``conv_cfg=dict(type='Conv2dAdaptivePadding')`` in the backbone.

    Returns:
        dict: The same tensors in float32 under OpenMMLab's names.

    Raises:
        ValueError: If a name is not one of torchvision's MobileNetV2.
    """
    return rename(state, _mobilenet_name, "torchvision's MobileNetV2")


@WEIGHT_INITIALIZERS.register_module()
class TorchvisionMobileNetV2Pretrained(ConvertedInit):
    """ImageNet weights for ``mmseg.MobileNetV2`` from torchvision's names.

    Args:
        checkpoint (str): File with torchvision's names.
    """

    def __init__(self, checkpoint: str) -> None:
        super().__init__(checkpoint)

    def load(self) -> Dict[str, Tensor]:
        return convert_torchvision_mobilenet_v2(load_weights(self.checkpoint))
