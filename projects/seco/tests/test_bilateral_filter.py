# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch

from projects.seco.seco import bilateral_filter


@pytest.mark.parity
@pytest.mark.parametrize('kind', ['exact', 'lattice'])
def test_golden(seco_parity, assert_near, kind):
    data = seco_parity('c07_energy')
    sigma_rgb, sigma_xy = data['filter_sigma_rgb_xy'].tolist()
    got = bilateral_filter(data['filter_image'], data['filter_input'],
                           sigma_rgb, sigma_xy, kind == 'exact')
    assert_near(got, data[f'{kind}_filtered'], 1e-5)


def test_exact_is_the_sum_over_pairs(monkeypatch):
    # In several parts.
    monkeypatch.setitem(bilateral_filter.__globals__, '_PAIRS_AT_ONCE', 70)
    images = 255 * torch.rand(2, 3, 4, 5)
    scores = torch.rand(2, 3, 4, 5)
    got = bilateral_filter(images, scores, 60., 3., exact=True)
    want = torch.zeros_like(scores)
    for y in range(4):
        for x in range(5):
            rows, columns = torch.arange(4)[:, None], torch.arange(5)
            place = ((rows - y)**2 + (columns - x)**2) / 9
            colour = (images - images[:, :, y:y + 1, x:x + 1]).square().sum(1)
            weight = (-(place + colour / 3600) / 2).exp()
            want[:, :, y, x] = (scores * weight[:, None]).sum((2, 3))
    torch.testing.assert_close(got, want)


@pytest.mark.parametrize('exact', [True, False])
def test_images_do_not_mix(exact):
    images = 255 * torch.rand(3, 3, 9, 7)
    scores = torch.rand(3, 2, 9, 7)
    together = bilateral_filter(images, scores, 30., 5., exact)
    alone = torch.cat([
        bilateral_filter(image[None], score[None], 30., 5., exact)
        for image, score in zip(images, scores)
    ])
    torch.testing.assert_close(together, alone)


@pytest.mark.parametrize('exact', [True, False])
def test_nothing_crosses_an_edge(exact):
    images = torch.zeros(1, 3, 8, 8)
    images[..., 4:] = 255
    scores = torch.zeros(1, 1, 8, 8)
    scores[..., 3, 3] = 1
    filtered = bilateral_filter(images, scores, 15., 8., exact)
    assert filtered[..., :4].min() > 0
    assert filtered[..., 4:].abs().max() < 1e-6


def test_lattice_comes_near_the_exact_sum():
    """Up to a factor, in a smooth image."""
    rows = torch.linspace(0, 255, 20)[:, None].expand(20, 24)
    images = torch.stack((rows, 255 - rows, rows / 2))[None]
    scores = torch.rand(1, 2, 20, 24)
    lattice, exact = (
        bilateral_filter(images, scores, 40., 6., exact)
        for exact in (False, True))
    ratio = lattice / exact
    assert .3 < ratio.min() and ratio.max() < 1
    assert ratio.std() < .15 * ratio.mean()
