# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch

from mmktse.models.utils import resize
from projects.ecsnet.ecsnet import ImageEraser

IMAGES = torch.randn(2, 3, 16, 24, generator=torch.Generator().manual_seed(0))
SCORES = torch.rand(2, 1, 4, 6, generator=torch.Generator().manual_seed(1))


def test_kept_pixels_are_bit_equal_and_erased_ones_filled():
    eraser = ImageEraser(threshold=0.5, fill=0.25)
    erased = (resize(SCORES, (16, 24)) > 0.5).expand_as(IMAGES)
    assert erased.any() and not erased.all()
    out = eraser(IMAGES, SCORES)
    assert torch.equal(out[~erased], IMAGES[~erased])
    assert (out[erased] == 0.25).all()


def test_both_resolutions_come_from_the_same_score_map():
    eraser = ImageEraser(threshold=0.5)
    assert torch.equal(eraser.mask(SCORES), SCORES > 0.5)
    # At the resolution of the score map nothing is interpolated.
    images = IMAGES[..., :4, :6] + 5
    erased = (eraser(images, SCORES) == 0).all(1, keepdim=True)
    assert torch.equal(erased, eraser.mask(SCORES))


@pytest.mark.parametrize('mode', ['hard', 'soft'])
def test_extremes(mode):
    none, full = torch.zeros_like(SCORES), torch.ones_like(SCORES)
    eraser = ImageEraser(mode, fill=0.5)
    assert torch.equal(eraser(IMAGES, none), IMAGES)
    torch.testing.assert_close(
        eraser(IMAGES, full), torch.full_like(IMAGES, 0.5))


def test_extreme_thresholds():
    assert torch.equal(ImageEraser(threshold=1.)(IMAGES, SCORES), IMAGES)
    assert not ImageEraser(threshold=-1e-6)(IMAGES, SCORES).any()


def test_a_higher_threshold_erases_less():
    counts = [(ImageEraser(threshold=t)(IMAGES, SCORES) == 0).sum().item()
              for t in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)]
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[-1]


def test_soft_erasing_by_hand():
    image = torch.tensor([2., -4.]).view(1, 1, 1, 2)
    score = torch.tensor([0.25, 1.]).view(1, 1, 1, 2)
    out = ImageEraser('soft')(image, score)
    assert out.flatten().tolist() == [1.5, 0.]


def test_unknown_mode():
    with pytest.raises(ValueError, match='"blurred", not hard or soft'):
        ImageEraser('blurred')
