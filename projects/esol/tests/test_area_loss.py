# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from projects.esol.esol import AreaLoss


def test_value_by_hand():
    scores = torch.tensor([[[[2., 1.]], [[8., -4.]], [[3., 3.]]],
                           [[[0., 5.]], [[1., 1.]], [[-1., -2.]]]])
    targets = torch.tensor([[1., 1., 0.], [0., 0., 1.]])
    # First image: 0.75 and 0.5; second: nowhere positive.
    loss = AreaLoss(.1)(scores, targets)
    assert loss.item() == pytest.approx(.1 * (.625 + 0) / 2, rel=1e-4)
    # All classes: (0.75 + 0.5 + 1) / 3 and (0.5 + 1 + 0) / 3.
    loss = AreaLoss(1., classes='all')(scores, targets)
    assert loss.item() == pytest.approx((.75 + .5) / 2, rel=1e-4)
    loss = AreaLoss(1., activation='sigmoid')(scores, targets)
    want = (scores[0, :2].sigmoid().mean() + scores[1, 2].sigmoid().mean()) / 2
    assert loss.item() == pytest.approx(want.item())


def test_gradient_shrinks_what_is_not_the_peak():
    scores = torch.tensor([[[[2., 1., -1.]]]], requires_grad=True)
    AreaLoss(1.)(scores, torch.ones(1, 1)).backward()
    peak, slope, outside = scores.grad.flatten().tolist()
    assert peak == slope == pytest.approx(1 / 6, rel=1e-4)
    assert outside == 0


@given(st.integers(0, 1000), st.sampled_from(['peak', 'sigmoid']))
def test_range_and_growth(seed, activation):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(2, 3, 4, 5, generator=generator)
    targets = (torch.rand(2, 3, generator=generator) > .5).float()
    loss = AreaLoss(1., activation=activation)
    value = loss(scores, targets)
    assert 0 <= value <= 1
    # Raised below its peak, a map has a larger area.
    peaks = scores.amax((2, 3), keepdim=True)
    larger = torch.minimum(scores + .5, peaks.expand_as(scores))
    assert loss(larger, targets) >= value


def test_nothing_positive_and_no_class():
    scores = -torch.rand(2, 3, 4, 4) - .1
    scores.requires_grad_()
    loss = AreaLoss(1.)(scores, torch.ones(2, 3))
    loss.backward()
    assert loss == 0 and (scores.grad == 0).all()
    assert AreaLoss(1.)(torch.rand(2, 3, 4, 4), torch.zeros(2, 3)) == 0


@pytest.mark.parametrize('name', ['classes', 'activation'])
def test_words_are_checked(name):
    with pytest.raises(ValueError, match=f'{name} of AreaLoss is "none"'):
        AreaLoss(**{name: 'none'})
