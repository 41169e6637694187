# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict, Iterator, Tuple

from torch import Tensor

from .common import rename_all

# Blocks of layer2 ... layer5, which are the stages layer1 ... layer4 of mmseg.
_DEPTHS = (3, 4, 23, 3)
_PREFIXES = ('module.', 'base.', 'scale.')
_HEADS = ('aspp.', 'fc.')
# Theirs and ours within a block; the last one is in the first block alone.
_UNITS = (('reduce', 'conv1', 'bn1'), ('conv3x3', 'conv2', 'bn2'),
          ('increase', 'conv3', 'bn3'), ('shortcut', 'downsample.0',
                                         'downsample.1'))


def _layers() -> Iterator[Tuple[str, str, str]]:
    """Their name of each convolution with its batch norm, and our two."""
    yield 'layer1.conv1', 'conv1', 'bn1'
    for stage, depth in enumerate(_DEPTHS, 1):
        for block in range(depth):
            theirs = f'layer{stage + 1}.block{block + 1}'
            ours = f'layer{stage}.{block}'
            for unit, conv, norm in _UNITS[:3 if block else 4]:
                yield f'{theirs}.{unit}', f'{ours}.{conv}', f'{ours}.{norm}'


def _names() -> Dict[str, str]:
    names = {}
    for theirs, conv, norm in _layers():
        names[f'{theirs}.conv.weight'] = f'{conv}.weight'
        for kind in ('weight', 'bias', 'running_mean', 'running_var'):
            names[f'{theirs}.bn.{kind}'] = f'{norm}.{kind}'
    return names


def _plain(name: str) -> str:
    """The name without wrappers, the projection as newer files call it."""
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name.replace('.proj.', '.shortcut.')


def convert_deeplab_coco_resnet101(
        state: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Renames DeepLab's ResNet-101 of COCO for mmseg's ``ResNet``.

    The names are those of deeplab-pytorch, where DeepLab's Caffe weights are
    well known from. The backbone needs ``style='caffe'`` and images in BGR,
    [0, 255], less the mean (104.008, 116.669, 122.675).

    Args:
        state (dict): State dict with names such as
            ``layer2.block1.reduce.conv.weight``; before them may stand
            ``module.`` and ``base.`` or ``scale.``, and ``proj`` is taken for
            ``shortcut``.

    Returns:
        dict: The same tensors in float32 under mmseg's names, without the
        head and without the numbers of batches that the norms have seen.

    Raises:
        ValueError: If a name is not one of this network, or one is missing.
    """
    state = {_plain(name): x for name, x in state.items()}
    return rename_all(
        {
            name: x
            for name, x in state.items() if not name.startswith(_HEADS)
            and not name.endswith('.num_batches_tracked')
        }, _names(), "DeepLab's ResNet-101")
