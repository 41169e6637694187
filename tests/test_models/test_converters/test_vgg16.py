# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
from mmengine.model import BaseModule
from mmengine.runner import CheckpointLoader
from torch import nn
from torchvision.models import vgg16

from mmktse.models.converters import convert_torchvision_vgg16
from mmktse.registry import MODELS, WEIGHT_INITIALIZERS


@pytest.fixture
def source():
    """Torchvision's names with few channels: 2 in, 8 neurons."""
    with torch.device('meta'):
        names = list(vgg16(init_weights=False).state_dict())
    state = {name: torch.randn(2).half() for name in names}
    shapes = {0: (8, 2 * 49), 3: (8, 8), 6: (5, 8)}
    for index, shape in shapes.items():
        state[f'classifier.{index}.weight'] = torch.randn(shape).half()
        state[f'classifier.{index}.bias'] = torch.randn(shape[0]).half()
    return state


class Small(BaseModule):
    """What the weights above fit."""

    def __init__(self, source, **kwargs):
        super().__init__(**kwargs)
        self.features = nn.ModuleDict()
        for name, value in source.items():
            if name.startswith('features') and name.endswith('weight'):
                layer = self.features[name.split('.')[1]] = nn.Module()
                layer.weight = nn.Parameter(torch.zeros(value.shape))
                layer.bias = nn.Parameter(torch.zeros(value.shape))
        self.fc6 = nn.Conv2d(2, 2, 3)
        self.fc7 = nn.Conv2d(2, 2, 1)


def test_convolutions_keep_their_names(source):
    state = convert_torchvision_vgg16(source)
    kept = {name for name in source if name.startswith('features')}
    assert len(kept) == 26
    assert set(state) == kept | {
        'fc6.weight', 'fc6.bias', 'fc7.weight', 'fc7.bias'
    }
    for name in kept:
        assert torch.equal(state[name], source[name].float())
    assert all(x.dtype == torch.float32 for x in state.values())


def test_fully_connected_layers_are_subsampled(source):
    state = convert_torchvision_vgg16(source)
    first = source['classifier.0.weight'].float()
    second = source['classifier.3.weight'].float()
    for i, out in enumerate((0, 4)):
        for channel in range(2):
            for y, row in enumerate((0, 3, 6)):
                for x, column in enumerate((0, 3, 6)):
                    assert state['fc6.weight'][i, channel, y,
                                               x] == first[out, channel * 49 +
                                                           row * 7 + column]
        for j, channel in enumerate((0, 4)):
            assert state['fc7.weight'][i, j] == second[out, channel]
        for ours, theirs in (('fc6', 0), ('fc7', 3)):
            assert (state[f'{ours}.bias'][i] ==
                    source[f'classifier.{theirs}.bias'][out])
    # A view would save the full matrices with it.
    for x in state.values():
        assert x.untyped_storage().nbytes() == 4 * x.numel()


def test_shapes_are_those_of_the_backbone():
    with torch.device('meta'):
        state = convert_torchvision_vgg16(
            vgg16(init_weights=False).state_dict())
        target = MODELS.build(dict(type='VGG16LargeFOV')).state_dict()
    assert {
        name: x.shape
        for name, x in state.items()
    } == {
        name: x.shape
        for name, x in target.items()
    }


@pytest.mark.parametrize('wrapped', [False, True])
def test_initialiser_with_a_file(source, tmp_path, wrapped):
    path = str(tmp_path / 'vgg16.pth')
    torch.save(dict(state_dict=source) if wrapped else source, path)
    net = Small(
        source,
        init_cfg=dict(
            type='mmktse.TorchvisionVGG16Pretrained', checkpoint=path))
    net.init_weights()
    for name, value in convert_torchvision_vgg16(source).items():
        assert torch.equal(net.state_dict()[name], value), name


def test_initialiser_with_an_address(source, monkeypatch):
    asked = []

    def download(filename, map_location=None, **kwargs):
        asked.append((filename, map_location))
        return source

    monkeypatch.setattr(CheckpointLoader, 'load_checkpoint', download)
    net = Small(source)
    WEIGHT_INITIALIZERS.build(dict(type='TorchvisionVGG16Pretrained'))(net)
    assert asked == [('torchvision://vgg16', 'cpu')]
    assert torch.equal(net.fc7.bias, source['classifier.3.bias'][::4].float())


def test_absent_file(tmp_path):
    initialise = WEIGHT_INITIALIZERS.build(
        dict(
            type='TorchvisionVGG16Pretrained',
            checkpoint=str(tmp_path / 'absent.pth')))
    with pytest.raises(FileNotFoundError, match='absent.pth'):
        initialise(nn.Module())


@pytest.mark.parametrize('name', ['features.28.bias', 'classifier.3.weight'])
def test_incomplete_weights_are_refused(source, name):
    del source[name]
    with pytest.raises(ValueError, match=f'the first is "{name}"'):
        convert_torchvision_vgg16(source)


def test_batch_norms_are_refused(source):
    source['features.1.running_mean'] = torch.zeros(2)
    with pytest.raises(ValueError, match='"features.1.running_mean"'):
        convert_torchvision_vgg16(source)
