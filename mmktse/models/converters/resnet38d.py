# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict, Iterator, Tuple

import numpy as np
import torch
from torch import Tensor

from .common import rename_all, without

# Units of the stages b2 ... b7; the last two stages are bottlenecks.
_UNITS = {2: 3, 3: 3, 4: 6, 5: 3, 6: 1, 7: 1}
_BOTTLENECKS = (6, 7)
_GATES = 3


def _layers() -> Iterator[Tuple[str, str]]:
    """Layers of the ImageNet file and of ``ResNet38d``, without conv1a."""
    for stage, units in _UNITS.items():
        branches = ('2a', '2b1', '2b2')[:3 if stage in _BOTTLENECKS else 2]
        for unit in range(units):
            theirs = f'{stage}b{unit}' if unit else f'{stage}a'
            ours = f'b{stage}_{unit}' if unit else f'b{stage}'
            for branch in branches:
                yield f'bn{theirs}_branch{branch}', f'{ours}.bn_branch{branch}'
                yield (f'res{theirs}_branch{branch}',
                       f'{ours}.conv_branch{branch}')
            if unit == 0:
                yield f'res{theirs}_branch1', f'{ours}.conv_branch1'
    yield 'bn7', 'bn7'


def _mxnet_names() -> Dict[str, str]:
    """Names of the ImageNet file and of ``ResNet38d``, the classifier out."""
    names = {'arg:conv1a_weight': 'conv1a.weight'}
    for theirs, ours in _layers():
        if theirs.startswith('res'):
            names[f'arg:{theirs}_weight'] = f'{ours}.weight'
            continue
        names[f'arg:{theirs}_gamma'] = f'{ours}.weight'
        names[f'arg:{theirs}_beta'] = f'{ours}.bias'
        names[f'aux:{theirs}_moving_mean'] = f'{ours}.running_mean'
        names[f'aux:{theirs}_moving_var'] = f'{ours}.running_var'
    return names


def _ktse_names() -> Dict[str, str]:
    """Names of the released checkpoint and of our model; bn8 stays bn8."""
    trunk = list(_mxnet_names().values())
    norms = [
        name.rpartition('.')[0] for name in trunk
        if name.endswith('.running_var')
    ]
    trunk += [f'{norm}.num_batches_tracked' for norm in norms]
    names = {name: f'backbone.{name}' for name in trunk}
    for conv in ('fc8', 'fc9'):
        names[f'{conv}.weight'] = f'head.{conv}.weight'
    for gate in range(_GATES):
        for theirs, ours in (('p', 'positive'), ('n', 'negative')):
            names[f'gconv{gate + 1}.att_{theirs}.0.weight'] = (
                f'head.gates.{gate}.{ours}.weight')
    for kind in ('weight', 'bias', 'running_mean', 'running_var',
                 'num_batches_tracked'):
        names[f'bn8.{kind}'] = f'bn8.{kind}'
    return names


def convert_mxnet_resnet38d(
        arrays: Dict[str, np.ndarray]) -> Dict[str, Tensor]:
    """Renames the ImageNet weights of ResNet-38 (A1) for ``ResNet38d``.

    Args:
        arrays (dict): Arrays of the MXNet file (``arg:res2a_branch2a_weight``
            ...), as :func:`load_mxnet_params` reads it.

    Returns:
        dict: The same weights in float32 under the names of ``ResNet38d``,
        without the classifier.

    Raises:
        ValueError: If a name is not one of this network, or one is missing.
    """
    tensors = {name: torch.from_numpy(x) for name, x in arrays.items()}
    return rename_all(
        without(tensors, 'arg:linear1000_'), _mxnet_names(),
        'the ImageNet file of ResNet-38')


def convert_ktse_resnet38d(state: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Renames the released KTSE checkpoint for ``KTSE`` on ``ResNet38d``.

    Args:
        state (dict): The 241 tensors of the checkpoint; ``module.`` may stand
            before each name.

    Returns:
        dict: The same tensors, floats in float32, under the names of our
        model with a ``GPPHead``; without bn8, which the network never uses.

    Raises:
        ValueError: If a name is not one of this network, or one is missing.
    """
    state = {name.removeprefix('module.'): x for name, x in state.items()}
    return without(
        rename_all(state, _ktse_names(), 'the released KTSE checkpoint'),
        'bn8.')
