# Copyright (c) mmktse authors. All rights reserved.
import runpy
import sys
from pathlib import Path

import pytest
from mmengine.registry import DefaultScope
from mmengine.runner import save_checkpoint

from mmktse.datasets.synthetic import generate_synthetic_voc
from mmktse.engine.config import load_config
from mmktse.registry import MODELS

ROOT = Path(__file__).parents[2]
TOOL = str(ROOT / 'tools/analysis_tools/inspect_step.py')
CONFIGS = ROOT / 'configs/ktse'


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs the tool on a network with random weights; returns the lines."""
    pytest.importorskip('timm')
    root = generate_synthetic_voc(str(tmp_path / 'data'), 4, 1, 64)

    def call(*words, config='ktse_efficientnet-lite0_custom.py'):
        config = str(CONFIGS / config)
        with DefaultScope.overwrite_default_scope('mmktse'):
            model = MODELS.build(
                load_config(config, dict(data_root=root)).model)
        path = tmp_path / 'weights.pth'
        save_checkpoint(dict(state_dict=model.state_dict()), str(path))
        argv = [
            TOOL,
            config,
            str(path),
            '--batches',
            '1',
            *words,
            '--cfg-options',
            f'data_root={root}',
            'train_dataloader.batch_size=2',
            'test_dataloader.dataset.pipeline.1.type=mmktse.MultiScaleViews',
            'max_long=48'  # smaller than image and mask
        ]
        monkeypatch.setattr(sys, 'argv', argv)
        runpy.run_path(TOOL, run_name='__main__')
        return capsys.readouterr().out.splitlines()

    return call


def cells(lines, first):
    line = next(line for line in lines if line.startswith(f'| {first}'))
    return [cell.strip() for cell in line.split('|')[1:-1]]


def test_terms_and_labels(run, tmp_path):
    ids = (tmp_path / 'data/ImageSets/train.txt').read_text().split()[:2]
    (tmp_path / 'ids.txt').write_text('\n'.join(ids))
    lines = run('--thresholds', '0.3,0.15', '0.3,0.3', '--split',
                str(tmp_path / 'ids.txt'))
    assert cells(lines, 'loss_cls')[2] and cells(lines, 'loss_two')[2]
    assert not cells(lines, 'label_fg')[2]  # no loss, no gradient
    band, none = cells(lines, '0.30, 0.15'), cells(lines, '0.30, 0.30')
    # A lower second threshold moves pixels from background to ignored.
    assert band[1:3] == none[1:3]
    assert float(none[3]) == 0 <= float(band[3])


def test_bad_input(run):
    with pytest.raises(SystemExit, match='not train a KTSE.*CAMClassifier'):
        run(config='gpp_efficientnet-lite0_custom.py')
    with pytest.raises(SystemExit, match='3 batches of 2.* from 4 images'):
        run('--batches', '3')
    with pytest.raises(SystemExit, match='no list .*no.txt'):
        run('--thresholds', '0.3,0.1', '--split', 'no.txt')
    with pytest.raises(SystemExit):
        run('--thresholds', '0.1,0.3')
