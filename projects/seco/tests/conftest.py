# Copyright (c) mmktse authors. All rights reserved.
import os
import os.path as osp
import zlib

import numpy as np
import pytest
import torch

from mmktse.models.converters import convert_timm_vit


@pytest.fixture(scope='session')
def seco_parity():
    """Loads a golden file as a dict of tensors (strings stay arrays)."""
    folder = os.environ.get('MMKTSE_SECO_PARITY_DIR') or osp.join(
        osp.dirname(__file__), 'data')

    def load(name):
        data = np.load(osp.join(folder, f'{name}.npz'), allow_pickle=False)
        return {
            key:
            data[key]
            if data[key].dtype.kind == 'U' else torch.from_numpy(data[key])
            for key in data
        }

    return load


@pytest.fixture(scope='session')
def seco_fill():
    """Values of a named weight or input, as data/README.md defines them."""

    def fill(name, shape, seed=0):
        state = np.random.RandomState(
            (zlib.crc32(name.encode()) + seed) % 2**32)
        values = state.standard_normal(int(np.prod(shape)))
        last = name.rsplit('.', 1)[-1]
        if last in ('cls_token', 'pos_embed'):
            values = 0.5 * values
        elif len(shape) == 1:
            values = (1 + 0.1 * values) if last == 'weight' else 0.02 * values
        elif not name.startswith('input'):
            values = values / np.sqrt(np.prod(shape[1:]))
        return torch.from_numpy(values.reshape(shape).astype(np.float32))

    return fill


@pytest.fixture(scope='session')
def seco_weights(seco_parity, seco_fill):
    """Weights of the whole published network, 20 classes, by their names."""
    params = seco_parity('c09_params')
    state = {
        str(name): seco_fill(str(name), [size for size in shape if size])
        for name, shape in zip(params['names'], params['shapes'].tolist())
    }
    sums = torch.stack([value.double().sum() for value in state.values()])
    torch.testing.assert_close(sums, params['sum'], rtol=1e-9, atol=1e-9)
    return state


@pytest.fixture(scope='session')
def seco_convert():
    """Brings tensors of the published network under our names."""
    parts = {
        'encoder.': 'backbone.',
        'encoder_k.': 'teacher.module.',
        'proj_head.': 'projector.',
        'proj_head_t.': 'teacher_projector.module.',
        'decoder.c': 'decode_head.conv_seg.',
        'classifier.': 'cam_head.classifier.',
        'aux_classifier.': 'aux_head.classifier.'
    }

    def convert(state):
        result = {}
        for theirs, ours in parts.items():
            part = {
                name.removeprefix(theirs): value
                for name, value in state.items()
                if name.startswith(theirs) and '.last_layer.' not in name
            }
            if theirs.startswith('encoder'):
                part = convert_timm_vit(part)
            result.update({ours + name: value for name, value in part.items()})
        return result

    return convert


@pytest.fixture(scope='session')
def seco_names(seco_parity, seco_convert):
    """Our name of each published tensor, as far as we have it."""
    names = seco_parity('c09_params')['names'].tolist()
    # Their numbers go through the conversion in place of the tensors.
    numbers = {name: torch.tensor(index) for index, name in enumerate(names)}
    return {
        names[number]: name
        for name, number in seco_convert(numbers).items()
    }
