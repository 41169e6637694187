# Copyright (c) mmktse authors. All rights reserved.
import json
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from torch import nn

from mmktse.engine.config import fill_num_classes
from mmktse.engine.export import export_onnx, exported_network, onnx_difference
from mmktse.registry import MODELS
from mmktse.version import __version__

CONFIGS = Path(__file__).parents[2] / 'configs'
# The sides are no multiples of the stride.
SIZE = (77, 91)
CLASSES = ('a', 'b', 'c', 'é')
COLOURS = dict(mean=[10., 120., 200.], std=[20., 50., 90.])


class Cells(nn.Module):
    """A backbone of one convolution of stride 8."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 8, 8, stride=8, padding=4)

    def forward(self, x):
        return (self.layer(x).relu(), )


def small(kind, to_rgb=True):
    """A segmentation or CAM network whose exports take a second."""
    cfg = dict(type=kind, backbone=dict(type=Cells))
    if kind == 'CAMClassifier':
        cfg.update(
            data_preprocessor=dict(to_rgb=to_rgb, **COLOURS),
            head=dict(type='CAMHead', num_classes=4, in_channels=8))
    else:
        cfg.update(
            data_preprocessor=dict(
                type='mmseg.SegDataPreProcessor',
                bgr_to_rgb=to_rgb,
                size=SIZE,
                **COLOURS),
            decode_head=dict(
                type='mmktse.DeepLabV2Head',
                in_channels=8,
                in_index=0,
                num_classes=4,
                dilations=(1, 2),
                align_corners=False),
            test_cfg=ConfigDict(mode='whole'))
    torch.manual_seed(0)
    if kind != 'CAMClassifier':
        init_default_scope('mmseg')
    return MODELS.build(cfg)


def random_images(count, size=SIZE):
    """RGB images (N, 3, H, W), 0 to 255."""
    return torch.randint(0, 256, (count, 3, *size), dtype=torch.uint8)


@torch.no_grad()
def results(model, images):
    """Outputs for RGB images by way of the data preprocessor."""
    data = dict(inputs=[image.flip(0) for image in images])
    inputs = model.data_preprocessor(data)['inputs']
    maps = model.eval()(inputs)
    if hasattr(model, 'head'):
        return [maps, model.head.logits(maps).sigmoid()]
    return [F.interpolate(maps, images.shape[2:], mode='bilinear').softmax(1)]


def run(path, images):
    onnxruntime = pytest.importorskip('onnxruntime')
    session = onnxruntime.InferenceSession(
        str(path), providers=['CPUExecutionProvider'])
    found = session.run(None, dict(image=images.float().numpy()))
    return [torch.from_numpy(x) for x in found]


def check(model, path, size=SIZE):
    for count in (1, 3):
        images = random_images(count, size)
        found, expected = run(path, images), results(model, images)
        assert len(found) == len(expected)
        for x, y in zip(found, expected):
            assert x.shape == y.shape
            # Images and classes differ by much more than the tolerance.
            assert y.std(1).mean() > 1e-3
            assert torch.allclose(x, y, rtol=0, atol=1e-4)


@pytest.fixture
def exporter():
    pytest.importorskip('onnx')
    pytest.importorskip('onnxscript')


@pytest.mark.parametrize('config', [
    'deeplabv2/deeplabv2_efficientnet-lite0_custom-224x224.py',
    'ktse/ktse_efficientnet-lite0_custom.py',
    'cam/cam_efficientnet-lite0_custom.py'
])
def test_same_outputs_as_pytorch(exporter, tmp_path, config):
    pytest.importorskip('timm')
    cfg = Config.fromfile(CONFIGS / config)
    init_default_scope(cfg.default_scope)
    cfg.model.backbone.init_cfg = None
    fill_num_classes(cfg.model, 4)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    path = tmp_path / 'net.onnx'
    export_onnx(exported_network(model), path, SIZE, CLASSES)
    check(model, path)


@pytest.mark.parametrize('to_rgb', [True, False])
@pytest.mark.parametrize('kind', ['EncoderDecoder', 'CAMClassifier'])
def test_normalisation_is_inside(kind, to_rgb):
    model = small(kind, to_rgb)
    images = random_images(2)
    found = exported_network(model)(images.float())
    found = found if isinstance(found, tuple) else (found, )
    for x, y in zip(found, results(model, images)):
        assert torch.allclose(x, y, atol=1e-6)


def test_any_size_and_two_networks(exporter, tmp_path):
    model = small('mmktse.BECO')
    path = tmp_path / 'net.onnx'
    export_onnx(exported_network(model), path, SIZE, CLASSES, dynamic=True)
    for size in (SIZE, (64, 128), (131, 40)):
        check(model, path, size)


def test_metadata(exporter, tmp_path):
    import onnx
    path = tmp_path / 'new' / 'net.onnx'
    export_onnx(exported_network(small('CAMClassifier')), path, SIZE, CLASSES)
    proto = onnx.load(path)
    metadata = {x.key: x.value for x in proto.metadata_props}
    assert json.loads(metadata['classes']) == list(CLASSES)
    assert 'RGB' in metadata['input']
    assert metadata['mmktse_version'] == __version__
    # Nothing about the machine that wrote it.
    assert str(CONFIGS.parent).encode() not in path.read_bytes()
    assert [x.name for x in path.parent.iterdir()] == ['net.onnx']


def test_difference_is_noticed(exporter, tmp_path):
    pytest.importorskip('onnxruntime')
    network = exported_network(small('CAMClassifier'))
    path = tmp_path / 'net.onnx'
    export_onnx(network, path, SIZE, CLASSES)
    assert onnx_difference(network, path, SIZE) < 1e-4
    with pytest.raises(ValueError, match='cannot run .* of 77x90'):
        onnx_difference(network, path, (77, 90))
    network.model.backbone.layer.weight.data *= 2
    with pytest.raises(ValueError, match='differs from PyTorch'):
        onnx_difference(network, path, SIZE)


def test_file_that_holds_for_one_size_alone(exporter, tmp_path):
    """Pools to fixed grids are written for the size of the example."""
    pytest.importorskip('onnxruntime')
    init_default_scope('mmseg')
    head = dict(
        type='PSPHead',
        in_channels=8,
        in_index=0,
        channels=4,
        num_classes=4,
        pool_scales=(1, 2, 3),
        align_corners=False)
    model = MODELS.build(
        dict(
            type='mmseg.EncoderDecoder',
            data_preprocessor=dict(
                type='mmseg.SegDataPreProcessor', **COLOURS),
            backbone=dict(type=Cells),
            decode_head=head,
            test_cfg=ConfigDict(mode='whole')))
    network, path = exported_network(model), tmp_path / 'net.onnx'
    export_onnx(network, path, (64, 64), CLASSES, dynamic=True)
    assert onnx_difference(network, path, (64, 64)) < 1e-4
    with pytest.raises(ValueError, match='ONNX Runtime|differs from'):
        onnx_difference(network, path, (96, 160))


def test_what_cannot_be_exported(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match='^Conv2d cannot be exported'):
        exported_network(nn.Conv2d(3, 4, 1))
    network = exported_network(small('CAMClassifier'))
    path = tmp_path / 'net.onnx'
    with pytest.raises(ValueError, match='--dynamic'):
        export_onnx(network, path, SIZE, CLASSES, dynamic=True)
    monkeypatch.setitem(sys.modules, 'onnxscript', None)
    with pytest.raises(ImportError, match='the extra export'):
        export_onnx(network, path, SIZE, CLASSES)
    assert not list(tmp_path.iterdir())
