# Copyright (c) mmktse authors. All rights reserved.
"""Training curves in the stock backends of MMEngine's visualizer."""
import json
import runpy
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / 'configs' / '_base_' / 'default_runtime.py'
STEPS = 2 + 2 * 2


@pytest.fixture
def train(monkeypatch, tmp_path):
    """Runs the toy training with the visualizer of the configs."""
    monkeypatch.syspath_prepend(ROOT / 'tests' / 'data')
    main = runpy.run_path(str(ROOT / 'tools' / 'train.py'))['main']
    cfg = Config.fromfile(ROOT / 'tests' / 'data' / 'toy_ktse.py')
    cfg.visualizer = Config.fromfile(RUNTIME).visualizer
    # MMEngine keeps visualizers by a name with the second of the start.
    cfg.experiment_name = tmp_path.name
    cfg.default_hooks.logger = dict(type='LoggerHook', interval=1)

    def run(*options):
        cfg.dump(tmp_path / 'config.py')
        words = [tmp_path / 'config.py', '--work-dir', tmp_path / 'work']
        words += ['--cfg-options', *options] if options else []
        monkeypatch.setattr(sys, 'argv', ['train.py', *map(str, words)])
        main()
        folder, = (tmp_path / 'work').glob('*/vis_data')
        return folder

    run.cfg = cfg
    return run


def event_losses(folder):
    """Values of the loss in the event file, by step."""
    accumulator = pytest.importorskip(
        'tensorboard.backend.event_processing.event_accumulator')
    events = accumulator.EventAccumulator(str(folder))
    events.Reload()
    assert {'loss', 'loss_cls', 'loss_kt',
            'lr'} <= set(events.Tags()['scalars'])
    return {event.step: event.value for event in events.Scalars('loss')}


def test_tensorboard_instead_of_the_local_backend(train):
    pytest.importorskip('tensorboard')
    folder = train('visualizer.vis_backends.0.type=TensorboardVisBackend')
    losses = event_losses(folder)
    assert list(losses) == list(range(1, STEPS + 1))
    assert all(loss > 0 for loss in losses.values())


def test_tensorboard_beside_the_local_backend(train):
    pytest.importorskip('tensorboard')
    train.cfg.visualizer.vis_backends.append(
        dict(type='TensorboardVisBackend'))
    folder = train()
    lines = (folder / 'scalars.json').read_text().splitlines()
    local = {
        record['step']: record['loss']
        for record in map(json.loads, lines) if 'loss' in record
    }
    assert event_losses(folder) == pytest.approx(local)
