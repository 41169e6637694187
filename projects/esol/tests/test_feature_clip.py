# Copyright (c) mmktse authors. All rights reserved.
"""Bounds and gradients of the clip."""
import pytest
import torch

from projects.esol.esol import FeatureClip


def test_value_and_gradient_by_hand():
    maps = torch.tensor([[[[4., 1., .5]], [[0., .1, .2]]]], requires_grad=True)
    got = FeatureClip(.25)(maps)
    want = torch.tensor([[[[1., 1., .5]], [[0., .05, .05]]]])
    torch.testing.assert_close(got, want)
    got.sum().backward()
    # What is cut gets none, and neither does the peak.
    assert maps.grad.flatten().tolist() == [0, 1, 1, 1, 0, 0]


def test_bounds():
    maps = torch.randn(3, 5, 6, 7).relu()
    got = FeatureClip()(maps)
    assert (got <= maps).all() and (got >= 0).all()
    torch.testing.assert_close(got.amax((2, 3)), .15 * maps.amax((2, 3)))


def test_one_cuts_nothing():
    maps = torch.rand(2, 3, 4, 4, requires_grad=True)
    got = FeatureClip(1.)(maps)
    assert torch.equal(got, maps)
    got.sum().backward()
    assert (maps.grad == 1).all()


def test_images_do_not_see_each_other():
    maps = torch.rand(4, 3, 5, 5)
    order = torch.tensor([2, 0, 3, 1])
    for dims in ((2, 3), (1, 2, 3)):
        clip = FeatureClip(.3, dims)
        assert torch.equal(clip(maps[order]), clip(maps)[order])


def test_one_peak_for_all_channels():
    maps = torch.tensor([[[[4., 1.]], [[.5, 2.]]]])
    got = FeatureClip(.25, (1, 2, 3))(maps)
    assert got.flatten().tolist() == [1, 1, .5, 1]


@pytest.mark.parametrize('beta', [0., -.1, 1.1])
def test_beta_is_checked(beta):
    with pytest.raises(ValueError, match=r'beta of FeatureClip .* \(0, 1\]'):
        FeatureClip(beta)
