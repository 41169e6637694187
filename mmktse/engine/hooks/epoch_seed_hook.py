# Copyright (c) mmktse authors. All rights reserved.
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner, set_random_seed

from mmktse.registry import HOOKS


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Makes the random numbers of an epoch depend on nothing but the epoch.

    A run that was killed then resumes to the same result. Workers follow
    with ``worker_init_fn=dict(type='mmktse.seed_worker')`` and
    ``persistent_workers=False``: PyTorch draws their seeds anew from this
    generator in every epoch.
    """

    priority = 'VERY_HIGH'

    def before_train_epoch(self, runner: Runner) -> None:
        """Seeds Python, NumPy and PyTorch from seed, epoch and rank."""
        seed = (runner.seed * 100_003 + runner.epoch * 1_009 + get_rank())
        set_random_seed(seed % 2**31)
