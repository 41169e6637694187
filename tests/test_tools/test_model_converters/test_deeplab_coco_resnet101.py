# Copyright (c) mmktse authors. All rights reserved.
import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS

ROOT = Path(__file__).parents[3]
TOOL = ROOT / 'tools' / 'model_converters' / 'deeplab_coco_resnet101.py'
CONFIG = (
    ROOT / 'configs' / 'deeplabv2' /
    'deeplabv2_r101-d8-cocoinit_1xb10-20k_voc12aug-321x321-pseudo.py')


def run(monkeypatch, *args):
    monkeypatch.setattr(sys, 'argv', [TOOL.name, *map(str, args)])
    runpy.run_path(str(TOOL), run_name='__main__')


@pytest.fixture
def config():
    """The backbone of the config, narrow."""
    cfg = Config.fromfile(CONFIG).model.backbone
    cfg.update(type='mmseg.ResNet', stem_channels=4, base_channels=4)
    return cfg


@pytest.fixture
def weights(config):
    """Random ones under the names of the file."""
    config = dict(config, init_cfg=None)
    state = {}
    for name, x in MODELS.build(config).state_dict().items():
        *block, layer, kind = name.split('.')
        if name.startswith('layer'):
            stage, index = int(block[0][5:]), int(block[1])
            if block[-1] == 'downsample':
                part, layer = 'shortcut', ('conv', 'bn')[int(layer)]
            else:
                part = dict(zip('123',
                                ('reduce', 'conv3x3', 'increase')))[layer[-1]]
            path = f'layer{stage + 1}.block{index + 1}.{part}'
        else:
            path = 'layer1.conv1'
        state[f'{path}.{layer.rstrip("123")}.{kind}'] = torch.rand_like(
            x.float())
    return state


def test_the_config_reads_the_file(weights, config, tmp_path, monkeypatch):
    src, out = tmp_path / 'src.pth', tmp_path / 'out.pth'
    torch.save({**weights, 'fc.weight': torch.zeros(1)}, src)
    run(monkeypatch, src, out)
    config.init_cfg.checkpoint = str(out)
    backbone = MODELS.build(config)
    backbone.init_weights()
    assert torch.equal(backbone.layer3[22].conv2.weight,
                       weights['layer4.block23.conv3x3.conv.weight'])
    assert torch.equal(backbone.layer1[0].downsample[1].running_var,
                       weights['layer2.block1.shortcut.bn.running_var'])


def test_incomplete_weights_are_refused(weights, tmp_path, monkeypatch):
    src, out = tmp_path / 'src.pth', tmp_path / 'out.pth'
    del weights['layer5.block3.increase.bn.bias']
    torch.save(weights, src)
    with pytest.raises(
            SystemExit, match='first is "layer5.block3.increase.bn.bias"'):
        run(monkeypatch, src, out)
    assert not out.exists()
