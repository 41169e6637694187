# Copyright (c) mmktse authors. All rights reserved.
from types import SimpleNamespace

import pytest
from mmengine.model import MMDistributedDataParallel

from mmktse.engine.hooks import OnlineLabelHook


@pytest.mark.parametrize('epoch, online', [(0, False), (1, False), (2, True),
                                           (7, True)])
def test_phase_follows_the_epoch(epoch, online):
    """Also of a run that resumes there."""
    model = SimpleNamespace(online=not online)
    OnlineLabelHook(begin=2).before_train_epoch(
        SimpleNamespace(model=model, epoch=epoch))
    assert model.online is online


def test_wrapped_model():
    inner = SimpleNamespace(online=False)
    # Only its class counts here.
    wrapped = MMDistributedDataParallel.__new__(MMDistributedDataParallel)
    wrapped.__dict__['module'] = inner
    OnlineLabelHook(begin=0).before_train_epoch(
        SimpleNamespace(model=wrapped, epoch=0))
    assert inner.online
