# Copyright (c) mmktse authors. All rights reserved.
import json

import numpy as np
import pytest
from mmengine.visualization import LocalVisBackend
from PIL import Image

from mmktse.visualization.training_curve import (load_scalars, running_mean,
                                                 save_training_curves,
                                                 training_seconds)


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


def test_running_mean():
    values = np.array([1., 2., 6., 4.])
    np.testing.assert_array_equal(running_mean(values, 1), values)
    np.testing.assert_allclose(running_mean(values, 2), [1, 1.5, 4, 5])
    np.testing.assert_allclose(running_mean(values, 9), [1, 1.5, 3, 3.25])


def test_running_mean_of_a_gap():
    values = np.array([1., np.nan, 3., 5.])
    np.testing.assert_allclose(running_mean(values, 2), [1, 1, 3, 4])


def test_save_training_curves(tmp_path):
    curve = dict(steps=np.arange(5), values=np.ones(5), unit='iteration')
    one = {'loss': curve, 'loss_sie': curve, 'peak': curve, 'lr': curve}
    point = dict(
        steps=np.array([3]), values=np.array([41.]), unit='evaluation step')
    runs = {'one': one, 'two': {'loss': curve, 'mIoU': point}}
    path = str(tmp_path / 'log.png')
    all_size = Image.open(save_training_curves(path, runs)).size
    some = Image.open(
        save_training_curves(path, runs, ['loss*', 'mIoU'], smooth=3))
    assert some.width == all_size[0] and some.height < all_size[1]
    with pytest.raises(ValueError, match='No run logged "los"; .*loss_sie'):
        save_training_curves(path, runs, ['los'])
    with pytest.raises(ValueError, match='nothing to plot'):
        save_training_curves(path, {'empty': {}})
    with pytest.raises(ValueError, match='smooth'):
        save_training_curves(path, runs, smooth=0)


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
