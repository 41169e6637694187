# Copyright (c) mmktse authors. All rights reserved.
import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmengine.registry import MODELS

TOOL = (
    Path(__file__).parents[3] / 'tools' / 'model_converters' /
    'torchvision_mobilenetv2.py')


def test_file_serves_the_stock_initialiser(tmp_path, monkeypatch):
    models = pytest.importorskip('torchvision').models
    source = models.mobilenet_v2().half().state_dict()
    src, out = tmp_path / 'src.pth', tmp_path / 'out.pth'
    torch.save(source, src)
    monkeypatch.setattr(sys, 'argv', [TOOL.name, str(src), str(out)])
    runpy.run_path(str(TOOL), run_name='__main__')
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
