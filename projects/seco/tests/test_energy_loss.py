# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch

from projects.seco.seco import DenseEnergyLoss

MEAN = torch.tensor([123.675, 116.28, 103.53])[:, None, None]
STD = torch.tensor([58.395, 57.12, 57.375])[:, None, None]


@pytest.mark.parity
@pytest.mark.parametrize('kind', ['exact', 'lattice'])
def test_golden(seco_parity, assert_near, kind):
    data = seco_parity('c07_energy')
    logits = data['logit'].requires_grad_()
    loss = DenseEnergyLoss(exact=kind == 'exact')(data['img'] * STD + MEAN,
                                                  logits, data['label'],
                                                  data['img_box'])
    loss.backward()
    assert_near(loss, data[f'{kind}_loss'], 2e-6)
    assert_near(logits.grad, data[f'{kind}_grad_logit'], 1e-5)


def inputs():
    return (255 * torch.rand(2, 3, 16, 24),
            torch.randn(2, 4, 16, 24, requires_grad=True),
            torch.zeros(2, 16, 24), torch.tensor([[0, 16, 0, 24]] * 2))


def test_weight_zero_skips_the_filter(monkeypatch):
    images, logits, labels, boxes = inputs()
    loss = DenseEnergyLoss(loss_weight=0.)
    monkeypatch.setattr(loss, 'filter', None)
    value = loss(images, logits, labels, boxes)
    value.backward()
    assert value == 0 and not logits.grad.any()


def test_outside_the_box_nothing_is_learnt():
    images, logits, labels, boxes = inputs()
    boxes[1, 2:] = torch.tensor([8, 16])
    DenseEnergyLoss()(images, logits, labels, boxes).backward()
    learnt = logits.grad.abs().sum(1) > 0
    assert learnt[0].all() and learnt[1, :, 8:16].all()
    assert not learnt[1, :, :8].any() and not learnt[1, :, 16:].any()


def test_sure_pixels_count_only_where_the_label_is_ignored():
    images, logits, labels, boxes = inputs()
    sure = torch.zeros_like(logits)
    sure[:, 1] = 50
    assert DenseEnergyLoss()(images, sure, labels, boxes).abs() < 1e-12
    labels.fill_(255)
    assert DenseEnergyLoss()(images, sure, labels, boxes) < -1e-9
