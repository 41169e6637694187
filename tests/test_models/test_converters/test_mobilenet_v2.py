# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
from mmengine.registry import MODELS
from torch import nn

from mmktse.models.converters import convert_torchvision_mobilenet_v2

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
