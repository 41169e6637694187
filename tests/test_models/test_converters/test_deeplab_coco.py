# Copyright (c) mmktse authors. All rights reserved.
from collections import OrderedDict

import pytest
import torch
from mmengine.registry import MODELS
from torch import nn

from mmktse.models.converters import convert_deeplab_coco_resnet101

RESNET = dict(
    type='mmseg.ResNet',
    depth=101,
    dilations=(1, 1, 2, 4),
    strides=(1, 2, 1, 1),
    norm_cfg=dict(type='BN', requires_grad=False),
    norm_eval=True,
    style='caffe')


def unit(inside, outside, size, stride=1, dilation=1):
    """Convolution and batch norm under the names of the file."""
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(
                inside,
                outside,
                size,
                stride,
                dilation * (size // 2),
                dilation,
                bias=False),
            bn=nn.BatchNorm2d(outside)))


class Block(nn.Module):
    """A bottleneck as Caffe has it: the first convolution has the stride."""

    def __init__(self, inside, outside, stride, dilation, shortcut):
        super().__init__()
        width = outside // 4
        self.reduce = unit(inside, width, 1, stride)
        self.conv3x3 = unit(width, width, 3, 1, dilation)
        self.increase = unit(width, outside, 1)
        self.shortcut = (
            unit(inside, outside, 1, stride) if shortcut else nn.Identity())

    def forward(self, x):
        y = self.increase(self.conv3x3(self.reduce(x).relu()).relu())
        return (y + self.shortcut(x)).relu()


class Source(nn.Module):
    """The network of the file, of any width."""

    def __init__(self, width):
        super().__init__()
        self.layer1 = nn.Sequential(
            OrderedDict(
                conv1=unit(3, width, 7, 2),
                relu=nn.ReLU(),
                pool=nn.MaxPool2d(3, 2, 1, ceil_mode=True)))
        inside = width
        for number, (depth, stride, dilation) in enumerate(
                zip((3, 4, 23, 3), (1, 2, 1, 1), (1, 1, 2, 4)), 2):
            outside = width * 2**number
            layer = nn.Sequential()
            for i in range(depth):
                layer.add_module(
                    f'block{i + 1}',
                    Block(inside, outside, 1 if i else stride, dilation,
                          i == 0))
                inside = outside
            self.add_module(f'layer{number}', layer)
        self.fc = nn.Conv2d(inside, 5, 1)

    def forward(self, x):
        outs = [self.layer1(x)]
        for layer in (self.layer2, self.layer3, self.layer4, self.layer5):
            outs.append(layer(outs[-1]))
        return outs[1:]


@pytest.fixture(scope='module')
def source():
    """A narrow network with weights that no two tensors share."""
    torch.manual_seed(0)
    net = Source(4).eval()
    for name, value in net.state_dict().items():
        if name.endswith('running_var'):
            value.uniform_(.5, 1.5)
        elif name.endswith('running_mean') or name.endswith('bn.bias'):
            value.normal_(std=.1)
        elif name.endswith('bn.weight'):
            value.uniform_(.2, .5)
    return net


def _narrow():
    net = MODELS.build(dict(RESNET, stem_channels=4, base_channels=4))
    net.eval()
    return net


def test_the_same_function(source):
    target = _narrow()
    result = target.load_state_dict(
        convert_deeplab_coco_resnet101(source.state_dict()), strict=False)
    assert not result.unexpected_keys
    assert all(
        name.endswith('num_batches_tracked') for name in result.missing_keys)
    x = torch.randn(2, 3, 65, 73)
    with torch.no_grad():
        for got, expected in zip(target(x), source(x)):
            assert expected.std() > .1
            torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


def test_where_the_pools_differ(source):
    """A side of 321 gives both 41 cells; one of 512 gives theirs one more."""
    pools = _narrow().maxpool, source.layer1.pool
    for side, cells in ((321, (41, 41)), (512, (64, 65))):
        conv = torch.zeros(1, 1, (side + 1) // 2, 1)
        assert tuple((pool(conv).shape[2] + 1) // 2 for pool in pools) == cells


def test_shapes_are_those_of_the_backbone():
    with torch.device('meta'):
        state = convert_deeplab_coco_resnet101(Source(64).state_dict())
        target = MODELS.build(RESNET).state_dict()
    assert {
        name: x.shape
        for name, x in state.items()
    } == {
        name: x.shape
        for name, x in target.items()
        if not name.endswith('num_batches_tracked')
    }


@pytest.mark.parametrize('prefix', ['base.', 'scale.', 'module.base.'])
def test_older_and_wrapped_names(source, prefix):
    state = source.state_dict()
    expected = convert_deeplab_coco_resnet101(state)
    older = {
        prefix + name.replace('shortcut', 'proj'): x.half()
        for name, x in state.items() if
        not name.endswith('num_batches_tracked') and not name.startswith('fc.')
    }
    older[f'{prefix}aspp.stages.c0.weight'] = torch.zeros(1)
    got = convert_deeplab_coco_resnet101(older)
    assert list(got) == list(expected)
    for name, x in expected.items():
        assert got[name].dtype == torch.float32
        assert torch.equal(got[name], x.half().float()), name


@pytest.mark.parametrize(
    'name',
    ['layer4.block23.conv3x3.bn.running_var', 'layer1.conv1.conv.weight'])
def test_incomplete_weights_are_refused(source, name):
    state = source.state_dict()
    del state[name]
    with pytest.raises(ValueError, match=f'the first is "{name}"'):
        convert_deeplab_coco_resnet101(state)


@pytest.mark.parametrize('name', [
    'layer4.block24.reduce.conv.weight', 'layer3.block2.shortcut.bn.bias',
    'layer1.0.conv1.weight'
])
def test_other_networks_are_refused(source, name):
    with pytest.raises(ValueError, match=f'"{name}".*cannot be converted'):
        convert_deeplab_coco_resnet101({
            **source.state_dict(), name:
            torch.zeros(1)
        })
