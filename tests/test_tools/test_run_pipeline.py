# Copyright (c) mmktse authors. All rights reserved.
import hashlib
import json
import os
import random
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader

from mmktse.datasets.synthetic import generate_synthetic_voc

ROOT = Path(__file__).parents[2]
# Small enough that a stage is little more than its start.
_SMALL = {'model.backbone.init_cfg': None, 'train_dataloader.num_workers': 0}
OPTIONS = dict(
    ktse={
        **_SMALL, 'warmup_dataloader.num_workers': 0,
        'warmup_dataloader.dataset.pipeline.3.crop_size': 64,
        'train_dataloader.dataset.dataset.pipeline.3.crop_size': 64,
        'train_cfg.warmup_epochs': 1,
        'train_cfg.max_epochs': 3,
        'default_hooks.logger.interval': 1
    },
    labels={
        'test_dataloader.num_workers': 0,
        'pseudo_labels.num_workers': 1
    },
    deeplabv2={
        **_SMALL, 'train_cfg.max_epochs': 3,
        'param_scheduler.0.end': 3,
        'train_dataloader.dataset.pipeline.3.crop_size': (64, 64),
        'model.data_preprocessor.size': (64, 64)
    },
    deeplabv2_val={'test_dataloader.num_workers': 1})


@pytest.fixture
def config(tmp_path):
    """The pipeline of one's own images, on six generated ones."""
    pytest.importorskip('timm')
    data = generate_synthetic_voc(str(tmp_path / 'data'), 6, 2, 64)
    cfg = Config.fromfile(ROOT / 'configs/pipelines/ktse_custom.py')
    for stage in cfg.stages:
        if stage.name in OPTIONS:
            stage.cfg_options.update(OPTIONS[stage.name])
        if stage.type == 'train':
            stage.total_batch = {loader: 2 for loader in stage.total_batch}
    cfg.data_root = data
    path = tmp_path / 'pipeline.py'
    cfg.dump(path)
    return path


def start(config, work_dir):
    path = os.pathsep.join(
        filter(None, [str(ROOT), os.environ.get('PYTHONPATH')]))
    return subprocess.Popen([
        sys.executable, ROOT / 'tools/run_pipeline.py', config, '--work-dir',
        work_dir
    ],
                            cwd=ROOT,
                            env=dict(
                                os.environ,
                                PYTHONPATH=path,
                                OMP_NUM_THREADS='1'),
                            stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT,
                            text=True)


def finish(config, work_dir):
    process = start(config, work_dir)
    output = process.communicate()[0]
    assert process.returncode == 0, output[-3000:]
    return output


def fingerprint(work_dir):
    """What must not depend on interruptions: figures, weights, images."""
    rows = json.loads((work_dir / 'table.json').read_text())
    weights = {
        name:
        CheckpointLoader.load_checkpoint(
            str(work_dir / name / 'epoch_3.pth'), 'cpu')['state_dict']
        for name in ('ktse', 'deeplabv2')
    }
    files = {
        str(path.relative_to(work_dir)):
        hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ('labels/SegmentationClass', 'labels/seeds', 'masks')
        for path in (work_dir / folder).rglob('*')
        if path.suffix in ('.png', '.npz', '.jpg')
    }
    return rows, weights, files


def test_killed_at_random_moments_it_ends_the_same(config, tmp_path):
    whole, killed = tmp_path / 'whole', tmp_path / 'killed'
    assert '| DeepLabV2 ' in finish(config, whole)
    moments = random.Random(0)
    for _ in range(3):
        process = start(config, killed)
        try:
            process.wait(timeout=moments.uniform(4, 25))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.communicate()
    finish(config, killed)
    rows, weights, files = fingerprint(whole)
    again = fingerprint(killed)
    # 6 seeds and labels; masks and overlays of all 8 images.
    assert len(files) == 6 + 6 + 8 + 8
    assert rows and again[0] == rows and again[2] == files
    for name, state in weights.items():
        for key, value in state.items():
            assert torch.equal(value, again[1][name][key]), (name, key)
    assert not list(killed.rglob('*.tmp'))


def test_settings_of_a_stage_are_changed_by_inheriting(tmp_path, monkeypatch,
                                                       capsys):
    (tmp_path / 'mine.py').write_text(f"""
_base_ = '{ROOT}/configs/pipelines/ktse_custom.py'
stages = _base_.stages
for _stage in stages:
    if _stage['name'] == 'ktse':
        _stage['cfg_options']['model.num_joint'] = 2
""")
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, 'argv', [
        'run_pipeline.py',
        str(tmp_path / 'mine.py'), '--dry-run', '--cfg-options', 'gpus=4'
    ])
    main = runpy.run_path('tools/run_pipeline.py')['main']
    main()
    text = capsys.readouterr().out
    train, = (
        x for x in text.splitlines()
        if 'tools/train.py' in x and '/ktse ' in x)
    assert 'model.num_joint=2' in train and '--nproc_per_node=4' in train
    monkeypatch.setattr(sys, 'argv', [*sys.argv[:-1], 'model.num_joint=2'])
    with pytest.raises(SystemExit, match="no settings .'model.num_joint'"):
        main()
