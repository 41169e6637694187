# Copyright (c) mmktse authors. All rights reserved.
from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MessageHub

from projects.esol.esol import OffsetStatsHook


@pytest.fixture
def step(head):
    """Makes a step of a stage and returns what it has logged."""

    def run(stage, held, **offsets):
        network = head(stage, sampler=dict(max_offset=1.))
        for name, value in offsets.items():
            getattr(network, name).offset.bias.data[:] = value
        network.hold(held)
        runner = SimpleNamespace(
            model=network, message_hub=MessageHub('mmktse'))
        hook = OffsetStatsHook()
        hook.before_train(runner)
        network((torch.rand(2, 8, 5, 5), ))
        hook.after_train_iter(runner, 0)
        return {
            name: scalar.current()
            for name, scalar in runner.message_hub.log_scalars.items()
        }

    return run


def test_size_of_the_trained_offsets(step):
    two = torch.tensor([-2., 0.]).repeat(9)
    want = {'train/offset_mean': 1., 'train/offset_max': 2.}
    assert step('expand', False, expand=two) == want
    assert step('shrink', False, expand=3., shrink=two) == want


def test_offsets_at_zero_are_not_logged(step):
    assert step('expand', True) == step('shrink', True, expand=3.) == {}
