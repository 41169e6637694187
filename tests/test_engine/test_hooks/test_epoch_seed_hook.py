# Copyright (c) mmktse authors. All rights reserved.
import random
from types import SimpleNamespace

import numpy as np
import torch

from mmktse.engine.hooks import EpochSeedHook


def draw(seed, epoch):
    EpochSeedHook().before_train_epoch(SimpleNamespace(seed=seed, epoch=epoch))
    return random.random(), np.random.rand(), torch.rand(1).item()


def test_numbers_depend_on_seed_and_epoch_alone():
    first = draw(0, 3)
    torch.rand(7)
    assert draw(0, 3) == first
    others = {draw(0, 4), draw(1, 3), draw(1, 4)}
    assert len(others) == 3 and first not in others
