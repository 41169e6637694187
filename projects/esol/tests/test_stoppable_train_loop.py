# Copyright (c) mmktse authors. All rights reserved.
from types import SimpleNamespace

import torch
from torch.utils.data import DataLoader, TensorDataset

from projects.esol.esol import StoppableTrainLoop


class Runner(SimpleNamespace):
    """Notes what is called; stops the loop after some steps."""

    def __init__(self, stop_after):
        self.stop_after, self.calls = stop_after, []
        self.model = SimpleNamespace(
            train=lambda: None, train_step=lambda *args, **kwargs: {})
        self.optim_wrapper = self.val_loop = None

    def call_hook(self, name, **kwargs):
        self.calls.append((name, self.loop.epoch))
        if name == 'after_train_iter':
            self.loop.stop_training = self.loop.iter + 1 == self.stop_after


def run(stop_after):
    runner = Runner(stop_after)
    data = TensorDataset(torch.zeros(3))
    data.metainfo, runner.visualizer = {}, SimpleNamespace()
    runner.loop = StoppableTrainLoop(runner, DataLoader(data), max_epochs=4)
    runner.loop.run()
    return runner


def test_undisturbed():
    runner = run(None)
    assert runner.loop.iter == 12 and runner.loop.epoch == 4


def test_stop_in_the_middle_of_an_epoch():
    runner = run(5)
    assert runner.loop.iter == 5
    # The checkpoint of this hook is named as the last one.
    assert runner.calls[-2:] == [('after_train_epoch', 3), ('after_train', 4)]
    assert [n for n, _ in runner.calls].count('before_train_epoch') == 2
