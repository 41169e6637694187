# Copyright (c) mmktse authors. All rights reserved.
import os
import os.path as osp

import numpy as np
import pytest
import torch
from hypothesis import settings
from mmengine.registry import DefaultScope, init_default_scope

import mmktse  # noqa: F401

# Drawn cases are the same in every run, and may take their time.
settings.register_profile(
    'tests', deadline=None, derandomize=True, max_examples=50, database=None)
settings.load_profile('tests')


@pytest.fixture(autouse=True)
def scope():
    """The default scope of CAM configs; one thread and a seed, so that every
    run of the tests sees the same numbers."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    np.random.seed(0)
    init_default_scope('mmktse')
    yield
    DefaultScope._instance_dict.clear()


@pytest.fixture(scope='session')
def parity_dir():
    """Golden numbers of KTSE; MMKTSE_PARITY_DIR names another folder."""
    return os.environ.get('MMKTSE_PARITY_DIR') or osp.join(
        osp.dirname(__file__), 'data', 'parity', 'ktse')


@pytest.fixture(scope='session')
def parity(parity_dir):
    """Loads a golden file as a dict of tensors (strings stay arrays)."""

    def load(name):
        data = np.load(osp.join(parity_dir, f'{name}.npz'), allow_pickle=False)
        return {
            key:
            data[key]
            if data[key].dtype.kind == 'U' else torch.from_numpy(data[key])
            for key in data
        }

    return load


@pytest.fixture(scope='session')
def assert_near():
    """Asserts max|got - want| <= tol * max|want|."""

    def check(got, want, tol):
        error = (got.detach().double() - want.double()).abs().max()
        limit = tol * want.double().abs().max()
        assert error <= limit, f'error {error:.3g}, limit {limit:.3g}'

    return check
