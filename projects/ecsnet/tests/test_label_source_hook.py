# Copyright (c) mmktse authors. All rights reserved.
from types import SimpleNamespace

import pytest
from mmengine.model import MMDistributedDataParallel

from mmktse.registry import HOOKS


def source(epoch, model=None, **kwargs):
    model = model or SimpleNamespace(label_source='of the epoch before')
    hook = HOOKS.build(
        dict(type='LabelSourceHook', _scope_='mmktse', **kwargs))
    hook.before_train_epoch(SimpleNamespace(model=model, epoch=epoch))
    return getattr(model, 'module', model).label_source


@pytest.mark.parametrize('epoch, expected', [(0, None), (1, None), (2, 'cam'),
                                             (3, 'cam'), (4, 'seg'),
                                             (7, 'seg')])
def test_source_follows_the_epoch(epoch, expected):
    """Also of a run that resumes there."""
    assert source(epoch) == expected


def test_other_epochs():
    assert source(9, seg=None) == 'cam'
    assert source(0, cam=0, seg=1) == 'cam'
    assert source(0, cam=2, seg=0) == 'seg'


def test_wrapped_model():
    # Only its class counts here.
    wrapped = MMDistributedDataParallel.__new__(MMDistributedDataParallel)
    wrapped.__dict__['module'] = SimpleNamespace(label_source=None)
    assert source(2, wrapped) == 'cam'
