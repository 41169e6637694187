# Copyright (c) mmktse authors. All rights reserved.
import os
import os.path as osp
import zlib

import numpy as np
import pytest
import torch


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
