# Copyright (c) mmktse authors. All rights reserved.
"""For the tests of the package and those of the projects."""
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
def assert_near():
    """Asserts max|got - want| <= tol * max|want|."""

    def check(got, want, tol):
        error = (got.detach().double() - want.double()).abs().max()
        limit = tol * want.double().abs().max()
        assert error <= limit, f'error {error:.3g}, limit {limit:.3g}'

    return check
