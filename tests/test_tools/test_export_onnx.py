# Copyright (c) mmktse authors. All rights reserved.
import json
import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from torch import nn

from mmktse.registry import MODELS

TOOL = Path(__file__).parents[2] / 'tools' / 'export_onnx.py'
CONFIG = """
default_scope = 'mmktse'
model = dict(
    type='CAMClassifier',
    data_preprocessor=dict(mean=[127.] * 3, std=[128.] * 3, to_rgb=True),
    backbone=dict(type='ExportCells'),
    head=dict(type='CAMHead', num_classes=None, in_channels=8))
test_dataloader = dict(
    dataset=dict(
        type='ImageLevelDataset',
        data_root='nowhere',
        metainfo=dict(classes='classes.txt')))
"""


@MODELS.register_module(name='ExportCells')
class Cells(nn.Module):
    """A backbone of one convolution of stride 8."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 8, 8, stride=8)

    def forward(self, x):
        return (self.layer(x).relu(), )


@pytest.fixture
def export(monkeypatch, tmp_path):
    """Runs the tool with the weights of a network of some classes."""
    config, checkpoint = tmp_path / 'cfg.py', tmp_path / 'net.pth'
    config.write_text(CONFIG)
    model = Config.fromfile(config).model
    model.head.num_classes = 3
    torch.save(
        dict(
            state_dict=MODELS.build(model).state_dict(),
            meta=dict(dataset_meta=dict(classes=('cat', 'cow', 'dog')))),
        checkpoint)

    def run(*words):
        out = tmp_path / 'out' / 'net.onnx'
        monkeypatch.setattr(sys, 'argv', [
            TOOL.name,
            str(config),
            str(checkpoint), '--out',
            str(out), '--size', '40', '24', *words
        ])
        runpy.run_path(str(TOOL), run_name='__main__')
        return out

    return run


@pytest.fixture
def exporter():
    pytest.importorskip('onnx')
    pytest.importorskip('onnxscript')


def test_file_without_data(exporter, export, capsys):
    onnxruntime = pytest.importorskip('onnxruntime')
    session = onnxruntime.InferenceSession(
        str(export()), providers=['CPUExecutionProvider'])
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata['classes']) == ['cat', 'cow', 'dog']
    image, = session.get_inputs()
    assert (image.name, image.shape[1:]) == ('image', [3, 40, 24])
    assert [x.name for x in session.get_outputs()] == ['cam', 'scores']
    difference = capsys.readouterr().out.split('at 40x24: ')[1].split()[0]
    assert float(difference) < 1e-4


def test_without_onnxruntime(exporter, export, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    assert export().stat().st_size
    text = capsys.readouterr().out
    assert 'Not compared' in text and 'the extra export' in text


@pytest.mark.parametrize(
    'words, part',
    [(['--cfg-options', 'model.head.num_classes=4'], 'does not fit'),
     (['--dynamic'], 'give --size')])
def test_bad_input_is_one_sentence(export, tmp_path, words, part):
    with pytest.raises(SystemExit, match=f'error: .*{part}'):
        export(*words)
    assert not (tmp_path / 'out').exists()
