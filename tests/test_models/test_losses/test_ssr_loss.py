# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmktse.models.losses import SSRLoss


@pytest.mark.parity
@pytest.mark.parametrize('batch', ['mixed', 'simple', 'complex'])
def test_golden(parity, assert_near, batch):
    data = {
        k[len(batch) + 1:]: v
        for k, v in parity('ssr_losses').items() if k.startswith(batch)
    }
    maps = data['F'].requires_grad_()
    cam_fg = data['cam_fg'].requires_grad_()
    labels = data['label'].long()
    ssr = SSRLoss()
    losses = ssr(maps, labels, cam_fg, data['y'].float())
    total = sum(losses.values())
    total.backward()
    assert_near(losses['loss_bg'], data['L_bg'], 1e-5)
    assert_near(losses['loss_fg'], 0.0125 * data['L_fg'], 1e-5)
    assert_near(losses['loss_inter'], 0.005 * data['L_inter'], 1e-5)
    assert_near(total, data['L_sum'], 1e-5)
    assert_near(maps.grad, data['grad_F'], 2e-5)
    assert cam_fg.grad is None
    maps.grad = None
    two = ssr.mixed(maps, labels)
    two.backward()
    assert_near(two, data['L_two'], 1e-5)
    assert_near(maps.grad, data['grad_F_two'], 2e-5)


@pytest.mark.parametrize('fill', [0, 1, 255])
def test_empty_kinds_give_finite_losses_and_gradients(fill):
    maps = torch.randn(2, 4, 5, 5, requires_grad=True)
    labels = torch.full((2, 20, 20), fill)
    for targets in (torch.zeros(2, 3), torch.ones(2, 3)):
        losses = SSRLoss()(maps, labels, torch.zeros(2, 1, 20, 20), targets)
        loss = sum(losses.values()) + SSRLoss().mixed(maps, labels)
        loss.backward()
        assert torch.isfinite(loss) and torch.isfinite(maps.grad).all()
        if fill == 255:
            assert loss == 0 and not maps.grad.any()


def test_inter_never_pulls_the_strongest_class_up():
    maps = torch.rand(1, 4, 5, 5, requires_grad=True)
    labels = torch.zeros(1, 5, 5, dtype=torch.long)
    targets = torch.tensor([[1., 1, 0]])
    loss = SSRLoss()(maps, labels, torch.ones(1, 1, 5, 5),
                     targets)['loss_inter']
    loss.backward()
    assert loss < 0
    assert not maps.grad[:, 0].any() and maps.grad.min() >= 0
    top = maps[:, 1:].argmax(1, keepdim=True)
    assert not maps.grad[:, 1:].gather(1, top).any()


@given(
    seed=st.integers(0, 10**6),
    images=st.integers(1, 3),
    classes=st.integers(1, 4),
    values=st.lists(st.sampled_from([0, 1, 255]), min_size=1, max_size=3))
def test_any_labels_give_finite_losses_of_one_sign(seed, images, classes,
                                                   values):
    torch.manual_seed(seed)
    maps = torch.randn(images, classes + 1, 3, 3, requires_grad=True)
    labels = torch.tensor(values)[torch.randint(len(values), (images, 7, 7))]
    cam_fg = torch.rand(images, 1, 7, 7)
    targets = torch.randint(2, (images, classes)).float()
    ssr = SSRLoss()
    losses = ssr(maps, labels, cam_fg, targets)
    sum(losses.values()).backward()
    assert losses['loss_bg'] >= 0 and losses['loss_fg'] >= 0
    assert losses['loss_inter'] <= 0
    assert maps.grad.isfinite().all()
    order = torch.randperm(images)
    again = ssr(maps[order], labels[order], cam_fg[order], targets[order])
    for name, value in losses.items():
        torch.testing.assert_close(again[name], value)
