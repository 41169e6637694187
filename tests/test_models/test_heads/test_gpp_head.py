# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch

from mmktse.models.heads import GPPHead
from mmktse.models.heads.gpp_head import GateUnit


@pytest.mark.parity
@pytest.mark.parametrize('name', ['gpp_head_40x40', 'gpp_head_13x17'])
def test_golden(parity, assert_near, name):
    data = parity(name)
    hidden, in_channels = data['fc8_w'].shape[:2]
    head = GPPHead(len(data['fc9_w']) - 1, in_channels, hidden)
    weights = {'fc8': head.fc8.weight, 'fc9': head.fc9.weight}
    for i, gate in enumerate(head.gates, 1):
        weights[f'gate{i}_pos'] = gate.positive.weight
        weights[f'gate{i}_neg'] = gate.negative.weight
    for key, weight in weights.items():
        weight.data.copy_(data[f'{key}_w'])
    maps = head((data['feat'], ))
    scores = head.scores(maps)
    scores.retain_grad()
    loss = head.loss(scores, data['y'].float())
    loss.backward()
    channels = data['channels'].long()
    assert_near(maps, data['F'], 1e-5)
    assert_near(head.pyramid(scores)[:, channels], data['gpp'], 1e-5)
    assert_near(head.logits(scores), data['q'], 1e-5)
    assert_near(loss, data['loss'], 1e-5)
    assert_near(scores.grad[:, channels], data['grad_S'], 2e-5)
    for key, weight in weights.items():
        assert_near(weight.grad, data[f'grad_{key}_w'], 2e-5)


@pytest.mark.parity
def test_golden_gate(parity, assert_near):
    data = parity('gate_unit')
    gate = GateUnit(data['x'].shape[1])
    gate.positive.weight.data.copy_(data['pos_w'])
    gate.negative.weight.data.copy_(data['neg_w'])
    x, y = data['x'].requires_grad_(), data['y'].requires_grad_()
    out = gate(x, y)
    (out * data['out_weight']).sum().backward()
    assert_near(out, data['out'], 1e-6)
    for got, key in ((x, 'x'), (y, 'y'), (gate.positive.weight, 'pos_w'),
                     (gate.negative.weight, 'neg_w')):
        assert_near(got.grad, data[f'grad_{key}'], 5e-6)


def test_collapsed_scores_have_finite_gradients():
    head = GPPHead(3, 4, 8)
    scores = torch.zeros(2, 3, 6, 6, requires_grad=True)
    head.loss(scores, torch.ones(2, 3)).backward()
    assert torch.isfinite(scores.grad).all()


def test_positive_background():
    head = GPPHead(3, 4, 8, positive_background=True)
    head.init_weights()
    maps = head((torch.randn(2, 4, 6, 6), ))
    assert maps[:, 0].min() >= 0 and maps[:, 1:].min() < 0
