# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmktse.models.losses import SIELoss


@pytest.mark.parity
def test_golden(parity, assert_near):
    data = parity('sie_mga')
    maps = {k: data[k].requires_grad_() for k in ('F1', 'F2', 'F_s')}
    k = len(data['F_s'])
    single = torch.cat((maps['F1'][:k, 1:], maps['F2'][:k, 1:]), -2)
    union = torch.maximum(data['y1'][:k], data['y2'][:k]).float()
    loss = SIELoss()(maps['F_s'][:, 1:], single, union)
    loss.backward()
    assert_near(loss, data['L_kt'], 1e-5)
    for key, value in maps.items():
        assert_near(value.grad, data[f'grad_kt_{key}'], 2e-5)


def test_absent_classes_and_the_margin_are_left_alone():
    joint, single = torch.zeros(2, 3, 4, 4), torch.ones(2, 3, 4, 4)
    none = torch.zeros(2, 3)
    assert SIELoss()(joint, single, none) == 0
    assert SIELoss(margin=1.)(joint, single, none + 1) == 0
    assert SIELoss(margin=0., loss_weight=2.)(joint, single, none + 1) == 2


def test_shapes_must_match():
    with pytest.raises(ValueError, match='multiple of the output stride'):
        SIELoss()(torch.zeros(1, 2, 5, 4), torch.zeros(1, 2, 6, 4),
                  torch.ones(1, 2))


@given(
    seed=st.integers(0, 10**6),
    shape=st.tuples(*[st.integers(1, 4)] * 4),
    margin=st.floats(0, 1))
def test_only_what_fires_alone_is_transferred(seed, shape, margin):
    torch.manual_seed(seed)
    joint = torch.randn(shape, requires_grad=True)
    single = torch.randn(shape, requires_grad=True)
    targets = torch.randint(2, shape[:2]).float()
    sie = SIELoss(margin=margin)
    loss = sie(joint, single, targets)
    loss.backward()
    assert loss >= 0
    # The joined image is pulled up, its parts down, by the same amount.
    assert joint.grad.max() <= 0
    torch.testing.assert_close(joint.grad, -single.grad)
    open_gap = (single - joint > margin) & targets[:, :, None, None].bool()
    assert torch.equal(joint.grad != 0, open_gap)
    order = torch.randperm(shape[0])
    again = sie(joint[order], single[order], targets[order])
    torch.testing.assert_close(again, loss)
