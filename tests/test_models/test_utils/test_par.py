# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch

from mmktse.models.utils import PAR


@pytest.mark.parity
@pytest.mark.parametrize('key, masks, iters',
                         [('refined', 'masks', 10),
                          ('refined_from_low', 'masks_low', 10),
                          ('one_step', 'masks', 1)])
def test_golden(parity, assert_near, key, masks, iters):
    data = parity('par')
    got = PAR(num_iters=iters)(data['image_u8'].float() / 255, data[masks])
    assert_near(got, data[key], 1e-5)


@pytest.mark.parity
def test_golden_affinity(parity, assert_near):
    data = parity('par')
    got = PAR().affinity(data['image_u8'].float() / 255)
    rows, cols = data['affinity_yx'].long().unbind(-1)
    assert_near(got[:, :, rows, cols].transpose(1, 2), data['affinity'], 1e-5)


def test_linear_constant_and_without_gradient():
    torch.manual_seed(0)
    par, image = PAR(), torch.rand(1, 3, 20, 24)
    a, b = torch.rand(2, 1, 2, 20, 24).unbind()
    torch.testing.assert_close(
        par(image, a) + 2 * par(image, b), par(image, a + 2 * b))
    ones = par(image, torch.ones(1, 1, 20, 24))
    torch.testing.assert_close(ones, torch.full_like(ones, par.gain))
    assert not par(image, a.requires_grad_()).requires_grad


def test_stops_at_a_colour_edge():
    image = torch.zeros(1, 3, 32, 32)
    image[..., 16:] = 1
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 14:18, 4:8] = 1
    refined = PAR()(image, mask)
    assert refined[..., 16, 2] > 20 * refined[..., 16, 20]
