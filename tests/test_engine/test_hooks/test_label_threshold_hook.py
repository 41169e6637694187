# Copyright (c) mmktse authors. All rights reserved.
from types import SimpleNamespace

import pytest

from mmktse.engine.hooks import LabelThresholdHook

KEY = 'seed/oracle/threshold'


def make_runner(threshold=0.49):
    hook = LabelThresholdHook()
    runner = SimpleNamespace(
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
