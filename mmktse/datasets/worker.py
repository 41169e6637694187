# Copyright (c) mmktse authors. All rights reserved.
import random

import numpy as np
import torch

from mmktse.registry import FUNCTIONS


@FUNCTIONS.register_module()
def seed_worker(worker_id: int) -> None:
    """Seeds Python and NumPy in a data loading worker as PyTorch is seeded.

    PyTorch's seed differs between workers and, unless workers are
    persistent, between epochs, and comes from the generator of the main
    process.

    Args:
        worker_id (int): Not used; part of PyTorch's interface.
    """
    seed = torch.initial_seed() % 2**32
    random.seed(seed)
    np.random.seed(seed)
