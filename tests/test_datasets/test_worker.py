# Copyright (c) mmktse authors. All rights reserved.
import random

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from mmktse.datasets import seed_worker
from mmktse.registry import FUNCTIONS


class Draws(Dataset):

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return random.random(), np.random.rand(), torch.rand(()).item()


def draws(seed):
    torch.manual_seed(seed)
    loader = DataLoader(
        Draws(),
        num_workers=2,
        worker_init_fn=FUNCTIONS.get('mmktse.seed_worker'))
    return [torch.stack(batch, 1) for batch in loader], next(iter(loader))[1]


def test_workers_follow_the_seed():
    first, next_epoch = draws(0)
    again, _ = draws(0)
    other, _ = draws(1)
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    # Another seed, another worker and another epoch give other numbers.
    assert (first[0] != other[0]).all()
    assert (first[0] != first[1]).all()
    assert first[0][0, 1] != next_epoch


def test_large_seed():
    torch.manual_seed(2**63 + 5)
    seed_worker(0)  # NumPy takes 32 bits alone
    first = np.random.rand(), random.random()
    np.random.seed(5)
    random.seed(5)
    assert first == (np.random.rand(), random.random())
