# Copyright (c) mmktse authors. All rights reserved.
"""The tools run the method by its config alone."""
import json
import runpy
import shlex
import sys
from pathlib import Path

import pytest
from mmengine.registry import DefaultScope

from mmktse.datasets.synthetic import CLASSES, generate_synthetic_voc
from mmktse.engine.config import load_config
from mmktse.registry import MODELS
from mmktse.seeds.manifest import check_complete

ROOT = Path(__file__).parents[3]
FOLDER = Path(__file__).parents[1] / 'configs'
CONFIG = FOLDER / 'mirror_cam_efficientnet-lite0_custom.py'
PIPELINE = FOLDER / 'mirror_cam_pipeline_custom.py'


@pytest.fixture
def run(monkeypatch):
    """Runs a tool in this process, started in the root of the repository."""
    monkeypatch.chdir(ROOT)

    def run(tool, *words):
        monkeypatch.setattr(sys, 'argv', [tool, *map(str, words)])
        runpy.run_path(f'tools/{tool}')['main']()

    yield run
    DefaultScope._instance_dict.clear()


def test_config_builds(tmp_path):
    pytest.importorskip('timm')
    data = generate_synthetic_voc(str(tmp_path), 2, 1, 48)
    cfg = load_config(
        str(CONFIG), {
            'data_root': data,
            'model.backbone.init_cfg': None
        })
    model = MODELS.build(cfg.model)
    assert type(model).__name__ == 'MirrorCAM'
    assert model.mirror.loss_weight == cfg.model.mirror.loss_weight == .1
    assert model.head.num_classes == len(CLASSES)


def test_two_steps_then_pseudo_labels(run, tmp_path):
    pytest.importorskip('timm')
    data = generate_synthetic_voc(str(tmp_path / 'data'), 4, 1, 64)
    options = [
        '--cfg-options', f'data_root={data}', 'model.backbone.init_cfg=None'
    ]
    work_dir = tmp_path / 'run'
    run('train.py', CONFIG, '--work-dir', work_dir, *options,
        'train_cfg.warmup_epochs=0', 'train_cfg.max_epochs=1',
        'train_dataloader.batch_size=2', 'train_dataloader.num_workers=0',
        'warmup_dataloader.batch_size=2', 'default_hooks.logger.interval=1',
        'train_dataloader.dataset.pipeline.3.crop_size=64')
    log, = work_dir.glob('*/vis_data/scalars.json')
    steps = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(steps) == 2
    for step in steps:
        assert step['loss_mirror'] > 0
        assert step['loss'] == pytest.approx(
            step['loss_cls'] + step['loss_mirror'], rel=1e-4)

    out = tmp_path / 'labels'
    run('make_pseudo_labels.py', CONFIG, work_dir / 'epoch_1.pth', '--out',
        out, *options, 'test_dataloader.num_workers=0',
        'pseudo_labels.num_workers=0')
    assert len(check_complete(out)['ids']) == 4
    rows = json.loads((out / 'metrics.json').read_text())['rows']
    assert {row['what'] for row in rows} == {'seed', 'pseudo labels'}


def test_pipeline(run, tmp_path, capsys):
    run('run_pipeline.py', PIPELINE, '--work-dir', tmp_path, '--dry-run')
    lines = capsys.readouterr().out.splitlines()
    commands = [
        shlex.split(line)[2:] for line in lines
        if line.startswith('  command: ')
    ]
    config = str(CONFIG.relative_to(ROOT))
    tools = [Path(words[0]).name for words in commands if config in words]
    assert tools == [
        'verify_dataset.py', 'train.py', 'make_pseudo_labels.py', 'report.py'
    ]
