# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch

from projects.example_method.example_method import MirrorLoss


def test_value_by_hand():
    """Peaks of 2 and 4, each divided by itself: places count, not heights."""
    scores = torch.tensor([[[[2., 0., 0.]], [[1., 1., 0.]]]])
    mirrored = torch.tensor([[[[0., 4., 0.]], [[5., 0., 5.]]]])
    # The mirror's peak is in the middle: it misses the first place and adds
    # the second. The other class is absent.
    loss = MirrorLoss(loss_weight=.5)
    value = loss(scores, mirrored, torch.tensor([[1., 0.]]))
    assert value.item() == pytest.approx(.5 * 2 / 3, abs=1e-4)
    same = loss(scores, scores.flip(-1), torch.tensor([[1., 1.]]))
    assert same.item() == 0


def test_gradient():
    scores = torch.tensor([[[[1., .5, 0.]]] * 2], requires_grad=True)
    mirrored = torch.tensor([[[[0., .2, 1.]]] * 2], requires_grad=True)
    MirrorLoss()(scores, mirrored, torch.tensor([[1., 0.]])).backward()
    # One place of three differs, by 0.5 - 0.2, and one class is present.
    assert scores.grad[0, 0, 0, 1].item() == pytest.approx(1 / 3, abs=1e-3)
    assert mirrored.grad[0, 0, 0, 1].item() == pytest.approx(-1 / 3, abs=1e-3)
    assert scores.grad[0, 1].abs().max() == 0 == mirrored.grad[0, 1].sum()


def test_no_present_class():
    scores = torch.rand(2, 3, 4, 4, requires_grad=True)
    loss = MirrorLoss()(scores, torch.rand(2, 3, 4, 4), torch.zeros(2, 3))
    loss.backward()
    assert loss.item() == 0 and torch.isfinite(scores.grad).all()
