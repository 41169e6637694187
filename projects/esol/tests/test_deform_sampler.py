# Copyright (c) mmktse authors. All rights reserved.
"""Sampler: equal to convolutions, offsets at zero, mirrors."""
import math
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from projects.esol.esol import DeformSampler


def sampler(*args, offset_std=None, **kwargs):
    """A sampler with a random kernel and, if asked, random offsets."""
    module = DeformSampler(*args, **kwargs).double()
    nn.init.normal_(module.kernel.weight)
    if offset_std:
        nn.init.normal_(module.offset.weight, std=offset_std)
        nn.init.normal_(module.offset.bias, std=offset_std)
    return module


def maps(*shape):
    return torch.randn(*shape, dtype=torch.double)


@pytest.mark.parametrize('kwargs', [
    dict(),
    dict(act=False),
    dict(dilation=2),
    dict(groups=2),
    dict(deform_groups=2),
    dict(kernel_size=1),
])
def test_zero_offsets_are_a_plain_convolution(kwargs):
    module = sampler(4, 6, **kwargs)
    x = maps(2, 4, 7, 9)
    size, dilation = kwargs.get('kernel_size', 3), kwargs.get('dilation', 1)
    want = F.conv2d(
        x,
        module.kernel.weight,
        padding=size // 2 * dilation,
        dilation=dilation,
        groups=kwargs.get('groups', 1))
    if kwargs.get('act', True):
        want = want.relu()
    assert want.shape == (2, 6, 7, 9)  # odd sizes, too
    torch.testing.assert_close(module(x), want, rtol=0, atol=1e-12)
    torch.testing.assert_close(module(x, held=True), want, rtol=0, atol=1e-12)


def test_untrained_it_returns_what_it_gets():
    x = maps(2, 6, 5, 4)
    for groups in (1, 3):
        module = DeformSampler(6, groups=groups).double()
        assert torch.equal(module(x.relu()), x.relu())
        module.act = False
        assert torch.equal(module(x), x)


def bilinear(plane, y, x):
    """Value of a plane (h, w) at a point; zero outside."""
    top, left = math.floor(y), math.floor(x)
    value = 0.
    for i, j in product((top, top + 1), (left, left + 1)):
        if 0 <= i < plane.shape[0] and 0 <= j < plane.shape[1]:
            value += (1 - abs(y - i)) * (1 - abs(x - j)) * plane[i, j]
    return value


def test_definition():
    """Taps row by row, (dy, dx) of each."""
    module = sampler(2, 3, offset_std=.5, act=False)
    x = maps(1, 2, 4, 5)
    with torch.no_grad():
        got, offsets = module(x)[0], module.offsets(x)[0]
        weight = module.kernel.weight
        assert offsets.abs().max() > 1
        for out, i, j in product(range(3), range(4), range(5)):
            want = 0.
            for tap, channel in product(range(9), range(2)):
                dy, dx = offsets[2 * tap:2 * tap + 2, i, j].tolist()
                want += weight[out, channel].flatten()[tap] * bilinear(
                    x[0, channel], i + tap // 3 - 1 + dy, j + tap % 3 - 1 + dx)
            torch.testing.assert_close(got[out, i, j], want)


def test_one_row_down_is_the_convolution_of_the_shifted_map():
    module = sampler(2, 3)
    with torch.no_grad():
        module.offset.bias[::2] = 1.
    x = maps(1, 2, 8, 6)
    got = module(x)
    want = module(torch.cat((x[:, :, 1:], x[:, :, :1]), 2), held=True)
    torch.testing.assert_close(got[:, :, 1:-2], want[:, :, 1:-2])


def test_offsets_get_a_gradient_where_they_start():
    module = sampler(4)
    module(maps(1, 4, 6, 6)).square().sum().backward()
    assert module.offset.bias.grad.abs().min() > 0
    # A kernel that is the identity moves its centre alone.
    module = DeformSampler(4).double()
    module(maps(1, 4, 6, 6)).square().sum().backward()
    moved = module.offset.bias.grad.nonzero().flatten().tolist()
    assert moved == [8, 9]


def test_gradient_scale_reaches_the_offsets_alone():
    grads = []
    for scale in (1., -.25):
        torch.manual_seed(1)
        module = sampler(3, offset_std=.3, gradient_scale=scale)
        x = maps(1, 3, 5, 5).requires_grad_()
        module(x).square().sum().backward()
        grads.append({k: p.grad for k, p in module.named_parameters()})
    assert set(grads[0]) == {'kernel.weight', 'offset.weight', 'offset.bias'}
    for name, grad in grads[0].items():
        scale = -.25 if name.startswith('offset') else 1.
        assert torch.equal(grads[1][name], scale * grad), name


def test_offsets_are_cut():
    module = sampler(3, offset_std=2., max_offset=.5)
    offsets = module.offsets(maps(1, 3, 5, 5))
    assert offsets.abs().max() == .5
    assert (offsets.abs() < .5).any()


@pytest.mark.parametrize('scale, steps', [
    (1., [-1., 1., 0., 0., -1.]),
    (-.5, [0., 0., -.5, .5, .5]),
])
def test_offsets_beyond_the_bound_can_come_back(scale, steps):
    """Steps inwards remain, those outwards do not."""
    module = DeformSampler(1, max_offset=.5, gradient_scale=scale)
    with torch.no_grad():
        module.offset.bias[:5] = torch.tensor([2., -2., 2., -2., .1])
    offsets = module.offsets(torch.rand(1, 1, 1, 1)).flatten()[:5]
    torch.testing.assert_close(offsets, torch.tensor([.5, -.5, .5, -.5, .1]))
    (torch.tensor([1., -1., -1., 1., 1.]) * offsets).sum().backward()
    torch.testing.assert_close(-module.offset.bias.grad[:5],
                               torch.tensor(steps))


def test_mirror_law():
    """Of a mirrored map, with mirrored kernels, taps and dx."""
    module = sampler(2, 3, offset_std=.3)
    mirror = sampler(2, 3)
    taps = torch.arange(18).view(3, 3, 2).flip(1).flatten()
    sign = torch.tensor([1., -1.], dtype=torch.double).repeat(9)
    with torch.no_grad():
        mirror.kernel.weight.copy_(module.kernel.weight.flip(-1))
        mirror.offset.bias.copy_(module.offset.bias[taps] * sign)
        mirror.offset.weight.copy_(module.offset.weight[taps].flip(-1) *
                                   sign[:, None, None, None])
    x = maps(2, 2, 5, 6)
    want = module(x).flip(-1)
    torch.testing.assert_close(mirror(x.flip(-1)), want)
    # The network itself does not commute with a flip.
    assert (module(x.flip(-1)) - want).abs().max() > .1
