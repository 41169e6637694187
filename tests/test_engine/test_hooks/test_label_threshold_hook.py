# Copyright (c) mmktse authors. All rights reserved.
from types import SimpleNamespace

import pytest
import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.model import BaseModel
from mmengine.runner import Runner

from mmktse.engine.checkpoint import latest_checkpoint
from mmktse.engine.hooks import LabelThresholdHook

KEY = 'seed/oracle/threshold'


def make_runner(threshold=0.49):
    hook = LabelThresholdHook()
    runner = SimpleNamespace(
        train_loop=SimpleNamespace(val_begin=1, val_interval=1),
        model=SimpleNamespace(labeler=SimpleNamespace(thresholds=(0.3, 0.15))))
    runner.val_loop = SimpleNamespace(
        run=lambda: hook.after_val_epoch(runner, {KEY: threshold}))
    return hook, runner


def test_labels_follow_the_validation():
    hook, runner = make_runner()
    hook.before_train(runner)
    assert runner.model.labeler.thresholds == pytest.approx((0.49, 0.39))
    hook.after_val_epoch(runner, {KEY: 0.04})
    assert runner.model.labeler.thresholds == (0.04, 0)


def test_says_what_it_lacks():
    hook, runner = make_runner()
    with pytest.raises(ValueError, match='needs a SeedMetric'):
        hook.after_val_epoch(runner, {'seed/other': 1.})
    with pytest.raises(ValueError, match='needs a SeedMetric'):
        hook.after_val_epoch(runner)
    runner.val_loop = None
    with pytest.raises(ValueError, match='set val_dataloader'):
        hook.before_train(runner)


@pytest.mark.parametrize('setting', ['val_begin', 'val_interval'])
def test_epochs_without_validation_are_refused(setting):
    """A resumed run would go on with thresholds of its own."""
    hook, runner = make_runner()
    setattr(runner.train_loop, setting, 2)
    with pytest.raises(ValueError, match='set train_cfg.val_interval=1'):
        hook.before_train(runner)


class Labelled(BaseModel):

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))
        self.labeler = SimpleNamespace(thresholds=(0.3, 0.15))

    def forward(self, inputs, mode='loss'):
        return dict(loss=self.weight) if mode == 'loss' else [inputs]


class Threshold(BaseMetric):
    default_prefix = 'seed/oracle'

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return dict(threshold=0.4)


def test_best_weights_are_kept_from_the_first_validation_on(tmp_path):
    loader = dict(
        dataset=[dict(inputs=torch.ones(()))],
        sampler=dict(type='DefaultSampler'))
    runner = Runner(
        model=Labelled(),
        work_dir=str(tmp_path),
        experiment_name='best',
        default_scope='mmktse',
        train_dataloader=loader,
        train_cfg=dict(by_epoch=True, max_epochs=1),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=.1)),
        val_dataloader=loader,
        val_cfg=dict(),
        val_evaluator=Evaluator(Threshold()),
        default_hooks=dict(
            labels=dict(type='LabelThresholdHook'),
            checkpoint=dict(
                type='CheckpointHook', save_best=KEY, rule='greater')))
    runner.train()
    assert runner.model.labeler.thresholds == pytest.approx((0.4, 0.3))
    assert len(list(tmp_path.glob('best_*_epoch_0.pth'))) == 1
    assert latest_checkpoint(tmp_path) == str(tmp_path / 'epoch_1.pth')
