# Copyright (c) mmktse authors. All rights reserved.
from types import SimpleNamespace

import pytest
from mmengine.model import MMDistributedDataParallel

from projects.esol.esol import HoldOffsetsHook


@pytest.mark.parametrize('epochs, epoch, held', [(1, 0, True), (1, 1, False),
                                                 (2, 1, True), (0, 0, False)])
@pytest.mark.parametrize('wrapped', [False, True])
def test_phase_follows_the_epoch(head, epochs, epoch, held, wrapped):
    """Also of a run that resumes there."""
    head = head('expand')
    head.hold(not held)
    model = SimpleNamespace(head=head)
    if wrapped:
        inner = model
        # Only its class counts here.
        model = MMDistributedDataParallel.__new__(MMDistributedDataParallel)
        model.__dict__['module'] = inner
    HoldOffsetsHook(epochs).before_train_epoch(
        SimpleNamespace(model=model, epoch=epoch))
    assert head.held is held
    assert head.classifier.weight.requires_grad is held
