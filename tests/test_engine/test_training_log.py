# Copyright (c) mmktse authors. All rights reserved.
import json
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.visualization import LocalVisBackend

from mmktse.engine.training_log import load_scalars, training_seconds

CONFIGS = Path(__file__).parents[2] / 'configs'


def write(work_dir, time, records):
    path = work_dir / time / 'vis_data/scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text(''.join(json.dumps(r) + '\n' for r in records))
    return path


def test_load_what_mmengine_writes(tmp_path):
    backend = LocalVisBackend(str(tmp_path / '20260101_000000/vis_data'))
    for step in (10, 20):
        backend.add_scalars(
            dict(loss=1 / step, peak=float('nan'), lr=.1, iter=step, time=1.),
            step=step)
    backend.add_scalars({'seed/fixed/mIoU': 41.5}, step=1)
    curves = load_scalars(tmp_path)
    assert set(curves) == {'loss', 'peak', 'lr', 'seed/fixed/mIoU'}
    np.testing.assert_array_equal(curves['loss']['steps'], [10, 20])
    np.testing.assert_allclose(curves['loss']['values'], [.1, .05])
    assert np.isnan(curves['peak']['values']).all()
    assert curves['loss']['unit'] == 'iteration'
    assert curves['seed/fixed/mIoU']['unit'] == 'evaluation step'


def test_resumed_run_is_one_curve(tmp_path):
    write(tmp_path, '20260101_000000',
          [dict(loss=v, iter=s, step=s) for s, v in ((1, 9), (2, 8), (3, 7))])
    second = write(tmp_path, '20260101_000100',
                   [dict(loss=v, iter=s, step=s) for s, v in ((3, 5), (4, 4))])
    loss = load_scalars(tmp_path)['loss']
    np.testing.assert_array_equal(loss['steps'], [1, 2, 3, 4])
    np.testing.assert_array_equal(loss['values'], [9, 8, 5, 4])
    # A killed run may leave half a line, but only at the end.
    with open(second, 'a') as file:
        file.write('{"loss": 3, "st')
    assert len(load_scalars(second)['loss']['steps']) == 2
    second.write_text('{"loss"\n{"loss": 1, "step": 1}\n')
    with pytest.raises(ValueError, match='line 1 is not JSON'):
        load_scalars(second)


def test_no_log(tmp_path):
    for path in (tmp_path, tmp_path / 'scalars.json'):
        with pytest.raises(FileNotFoundError, match='no training log'):
            load_scalars(path)


def test_shipped_configs_log_means_of_all_steps():
    for path in CONFIGS.rglob('*.py'):
        cfg = Config.fromfile(path)
        if {'log_processor', 'default_hooks'} <= set(cfg):
            interval = cfg.default_hooks.logger.interval
            assert cfg.log_processor.window_size == interval, path


def test_seconds_of_all_parts(tmp_path):
    write(tmp_path, '1', [
        dict(iter=10, step=10, time=1.),
        dict(iter=20, step=20, time=2.), {
            'seed/fixed/mIoU': 1.,
            'step': 1,
            'time': 100.
        }
    ])
    # Taken up after step 15, and done faster.
    write(tmp_path, '2', [dict(iter=20, step=20, time=.5)])
    assert training_seconds(tmp_path) == 10 * 1. + 10 * .5
    write(tmp_path / 'one', '1', [dict(iter=7, step=1407, time=2.)])
    assert training_seconds(tmp_path / 'one') == 0
