# Copyright (c) mmktse authors. All rights reserved.
import os
import os.path as osp

import numpy as np
import pytest
import torch
from mmengine.utils import ManagerMixin


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


@pytest.fixture
def forget_runs():
    """To be called before a tool that shall run as in a process of its own.

    Runs of one config and one second share their scope, logger and
    visualizer in one process, whatever has become of their folders.
    """

    def forget(manager=ManagerMixin):
        for kind in manager.__subclasses__():
            kind._instance_dict.clear()
            forget(kind)

    return forget
