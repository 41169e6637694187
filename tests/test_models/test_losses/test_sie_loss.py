# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch

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
