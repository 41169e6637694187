# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch

from mmktse.models.losses import BalancedSegLoss
from mmktse.models.utils import resize


@pytest.mark.parity
@pytest.mark.parametrize('case', ['mixed', 'no_fg', 'no_bg', 'all_ignored'])
def test_golden(seco_parity, assert_near, case):
    data = seco_parity('c07_seg_cls')
    pred = data['pred'].requires_grad_()
    loss = BalancedSegLoss(eps=1e-6)(pred, data[f'{case}_label'].long())
    loss.backward()
    torch.testing.assert_close(
        loss, data[f'{case}_loss'].view(()), rtol=0, atol=2e-6)
    assert_near(pred.grad, data[f'{case}_grad'], 1e-5)


@pytest.mark.parity
def test_golden_of_small_logits(seco_parity, assert_near):
    data = seco_parity('c07_seg_cls')
    pred = data['low_pred'].requires_grad_()
    full = resize(pred, (12, 14))
    loss = BalancedSegLoss(eps=1e-6)(full, data['mixed_label'].long())
    loss.backward()
    torch.testing.assert_close(
        loss, data['low_loss'].view(()), rtol=0, atol=2e-6)
    assert_near(pred.grad, data['low_grad'], 1e-5)
