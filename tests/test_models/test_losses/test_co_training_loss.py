# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch

from mmktse.models.losses import CoTrainingLoss


@pytest.mark.parity
@pytest.mark.parametrize('phase', ['warm', 'online'])
def test_golden(parity, assert_near, phase):
    data = parity('beco')
    logits = [data[f'logits{i}'].requires_grad_() for i in (1, 2)]
    losses = CoTrainingLoss()(*logits, data[f'{phase}_mix_label'].long(),
                              data[f'{phase}_mix_mask'] > 0,
                              data[f'{phase}_mix_bdry'] > 0)
    for name, key in (('loss_seg', 'ce'), ('loss_cot', 'cot')):
        want = data[f'{phase}_{key}1'] + data[f'{phase}_{key}2']
        assert_near(losses[name], want, 1e-5)
    total = sum(losses.values())
    assert_near(total, data[f'{phase}_loss'], 1e-5)
    total.backward()
    for i, value in enumerate(logits, 1):
        assert_near(value.grad, data[f'{phase}_grad{i}'], 2e-5)


def test_no_confident_and_no_labelled_pixel():
    logits = [torch.randn(2, 3, 4, 5, requires_grad=True) for _ in range(2)]
    none = torch.zeros(2, 4, 5, dtype=torch.bool)
    void = torch.full((2, 4, 5), 255)
    losses = CoTrainingLoss()(*logits, void, none, none)
    assert losses['loss_seg'] == 0 and losses['loss_cot'] > 0
    losses = CoTrainingLoss()(*logits, void, ~none, none)
    assert losses['loss_seg'] == losses['loss_cot'] == 0
    sum(losses.values()).backward()
    assert (logits[0].grad == 0).all()


def test_nothing_flows_through_the_other_network():
    first = torch.randn(1, 3, 4, 5, requires_grad=True)
    second = torch.randn(1, 3, 4, 5)
    none = torch.zeros(1, 4, 5, dtype=torch.bool)
    label = torch.zeros(1, 4, 5, dtype=torch.long)
    sum(CoTrainingLoss()(first, second, label, none, none).values()).backward()
    alone = first.detach().clone().requires_grad_()
    torch.nn.functional.cross_entropy(alone, second.argmax(1)).backward()
    torch.testing.assert_close(first.grad, alone.grad)
