# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict

from mmengine.runner import CheckpointLoader
from torch import Tensor

from mmktse.registry import WEIGHT_INITIALIZERS
from .common import ConvertedInit, load_weights, rename_all, without

# Places of the convolutions in torchvision's list of layers.
_CONVS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
# One fully connected neuron of so many is kept.
_STEP = 4


def _names() -> Dict[str, str]:
    layers = {f'features.{index}': f'features.{index}' for index in _CONVS}
    layers.update({'classifier.0': 'fc6', 'classifier.3': 'fc7'})
    return {
        f'{theirs}.{kind}': f'{ours}.{kind}'
        for theirs, ours in layers.items()
        for kind in ('weight', 'bias')
    }


def convert_torchvision_vgg16(state: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Makes torchvision's VGG-16 weights fit ``VGG16LargeFOV``.

    The first two fully connected layers become the convolutions fc6 and fc7,
    subsampled as for DeepLab-LargeFOV: every fourth neuron, and of the 7x7
    positions that fc6 sees, rows and columns 0, 3 and 6.

    Args:
        state (dict): State dict of torchvision's ``vgg16``, of any float
            type.

    Returns:
        dict: Tensors in float32 under the names of ``VGG16LargeFOV``; the
        last layer of the classifier is left out.

    Raises:
        ValueError: If a name is not one of this network, or one is missing.
    """
    result = rename_all(
        without(state, 'classifier.6.'), _names(), "torchvision's VGG-16")
    weights = {
        'fc6': result['fc6.weight'].unflatten(1, (-1, 7, 7))[..., ::3, ::3],
        'fc7': result['fc7.weight'][:, ::_STEP, None, None],
    }
    for layer, weight in weights.items():
        # Copies, so that the full matrices are not kept alive or saved.
        result[f'{layer}.weight'] = weight[::_STEP].clone()
        result[f'{layer}.bias'] = result[f'{layer}.bias'][::_STEP].clone()
    return result


@WEIGHT_INITIALIZERS.register_module()
class TorchvisionVGG16Pretrained(ConvertedInit):
    """ImageNet weights for ``VGG16LargeFOV`` from torchvision's VGG-16.

    Args:
        checkpoint (str): File, or address with ``://``, of a state dict with
            torchvision's names. Defaults to 'torchvision://vgg16', which is
            downloaded once.
    """

    def __init__(self, checkpoint: str = 'torchvision://vgg16') -> None:
        super().__init__(checkpoint)

    def load(self) -> Dict[str, Tensor]:
        if '://' in self.checkpoint:
            state = CheckpointLoader.load_checkpoint(
                self.checkpoint, map_location='cpu')
            state = state.get('state_dict', state)
        else:
            state = load_weights(self.checkpoint)
        return convert_torchvision_vgg16(state)
