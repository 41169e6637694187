# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
from mmengine.config import Config
from torch import nn

from mmktse.models.utils.dilated_depthwise import (SplitDepthwiseConv2d,
                                                   split_dilated_depthwise)
from mmktse.registry import MODELS


@pytest.mark.parametrize('kernel, dilation', [(5, 2), (3, 2), (3, (3, 2))])
@pytest.mark.parametrize('size', [(12, 12), (11, 7), (1, 3)])
@pytest.mark.parametrize('bias', [False, True])
def test_same_result_and_gradients(kernel, dilation, size, bias):
    pair = dilation if isinstance(dilation, tuple) else (dilation, dilation)
    plain = nn.Conv2d(
        6,
        6,
        kernel,
        padding=tuple(d * (kernel // 2) for d in pair),
        dilation=dilation,
        groups=6,
        bias=bias).double()
    x = torch.randn(2, 6, *size).double().requires_grad_()
    grad = torch.randn_like(x)
    expected = plain(x)
    expected.backward(grad)
    grads = [x.grad, *(p.grad for p in plain.parameters())]
    for parameter in (x, *plain.parameters()):
        parameter.grad = None

    network = nn.Sequential(plain)
    weights = list(plain.parameters())
    split = split_dilated_depthwise(network)[0]
    assert isinstance(split, SplitDepthwiseConv2d)
    assert all(a is b for a, b in zip(split.parameters(), weights))
    result = network(x)
    torch.testing.assert_close(result, expected)
    result.backward(grad)
    for parameter, other in zip((x, *weights), grads):
        torch.testing.assert_close(parameter.grad, other)


def test_plain_convolution_where_nothing_is_gained(monkeypatch):
    network = nn.Sequential(
        nn.Conv2d(2, 2, 3, padding=2, dilation=2, groups=2))
    x = torch.randn(1, 2, 6, 6)
    with torch.no_grad():
        expected = network(x)
    split_dilated_depthwise(network)
    monkeypatch.setattr('torch.nn.functional.pad', None)
    with torch.no_grad():
        assert torch.equal(network(x), expected)
    network.requires_grad_(False)
    assert torch.equal(network(x), expected)


@pytest.mark.parametrize('settings', [
    dict(groups=1),
    dict(groups=4, dilation=1, padding=1),
    dict(groups=4, stride=2),
    dict(groups=4, padding=0),
    dict(groups=4, padding_mode='reflect'),
])
def test_other_convolutions_stay(settings):
    settings = dict(dict(dilation=2, padding=2), **settings)
    network = nn.Sequential(nn.Conv2d(4, 4, 3, **settings))
    conv = network[0]
    assert split_dilated_depthwise(network)[0] is conv


def test_network_for_a_cpu_has_some():
    pytest.importorskip('timm')
    cfg = Config.fromfile('configs/ktse/gpp_efficientnet-lite0_custom.py')
    backbone = MODELS.build(cfg.model.backbone)
    assert sum(
        isinstance(module, SplitDepthwiseConv2d)
        for module in backbone.modules()) == 4
