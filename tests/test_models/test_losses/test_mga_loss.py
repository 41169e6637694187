# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmktse.models.losses import MGALoss


@pytest.mark.parity
@pytest.mark.parametrize('term', ['local', 'global'])
def test_golden(parity, assert_near, term):
    data = parity('sie_mga')
    anchor, erased = data['F1'].requires_grad_(), data['F_m'].requires_grad_()
    losses = MGALoss()(anchor[:, 1:], erased[:, 1:], data['keep_low'],
                       data['y1'].float())
    losses[f'loss_{term}'].backward()
    assert_near(losses[f'loss_{term}'], data[f'L_{term}'], 1e-5)
    assert_near(anchor.grad, data[f'grad_{term}_F1'], 2e-5)
    assert_near(erased.grad, data[f'grad_{term}_F_m'], 2e-5)


def test_local_term_spares_the_erased_region_and_absent_classes():
    scores, erased = torch.zeros(1, 2, 2, 2), torch.ones(1, 2, 2, 2)
    keep = torch.zeros(1, 1, 2, 2)
    losses = MGALoss(margin=0.)(scores, erased, keep, torch.ones(1, 2))
    assert losses['loss_local'] == 0 and losses['loss_global'] == 1
    losses = MGALoss()(scores, erased, keep + 1, torch.zeros(1, 2))
    assert not any(losses.values())


@given(seed=st.integers(0, 10**6), shape=st.tuples(*[st.integers(1, 4)] * 4))
def test_views_are_equalised(seed, shape):
    torch.manual_seed(seed)
    scores = torch.randn(shape, requires_grad=True)
    erased = torch.randn(shape, requires_grad=True)
    keep = torch.randint(2, (shape[0], 1, *shape[2:])).float()
    targets = torch.randint(2, shape[:2]).float()
    losses = MGALoss()(scores, erased, keep, targets)
    sum(losses.values()).backward()
    assert losses['loss_local'] >= 0 and losses['loss_global'] >= 0
    # The global term knows no first and second view.
    swapped = MGALoss()(erased, scores, keep, targets)
    torch.testing.assert_close(swapped['loss_global'], losses['loss_global'])
    same = MGALoss()(scores, scores, keep, targets)
    assert not any(same.values())
    for grad in (scores.grad, erased.grad):
        assert grad.isfinite().all() and not grad[targets == 0].any()
