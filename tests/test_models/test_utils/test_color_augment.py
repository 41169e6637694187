# Copyright (c) mmktse authors. All rights reserved.
import torch

from mmktse.models.utils.color_augment import ColorAugment


def test_images_are_changed_apart_and_stay_in_range():
    torch.manual_seed(0)
    images = torch.rand(1, 3, 12, 12).repeat(32, 1, 1, 1)
    out = ColorAugment()(images)
    assert out.shape == images.shape
    assert out.min() >= 0 and out.max() <= 1
    assert len({tuple(image.flatten().tolist()) for image in out}) > 20
    gray = (out[:, 0] - out[:, 2]).abs().amax((1, 2)) < 1e-6
    assert 0 < gray.float().mean() < .5


def test_probability_zero_changes_nothing():
    images = torch.rand(2, 3, 8, 8)
    out = ColorAugment(jitter_prob=0., gray_prob=0., blur_prob=0.)(images)
    assert torch.equal(out, images)


def test_grey_alone_is_the_luma_of_rgb():
    augment = ColorAugment(jitter_prob=0., gray_prob=1., blur_prob=0.)
    red = torch.zeros(1, 3, 4, 4)
    red[:, 0] = 1
    torch.testing.assert_close(
        augment(red), torch.full_like(red, .2989), atol=1e-3, rtol=0)
