# Copyright (c) mmktse authors. All rights reserved.
import importlib.util
import json
import logging
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The benchmark's own check fails the run, so that a run that ends well has
# shown equal losses, labels and gradients.
CONFIG = f"""
_base_ = '{ROOT}/configs/ktse/ktse_r50_voc.py'
model = dict(backbone=dict(depth=18), head=dict(in_channels=512))
"""


@pytest.fixture
def bench():
    spec = importlib.util.spec_from_file_location(
        'ktse_step', ROOT / 'benchmarks' / 'ktse_step.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    logging.disable(logging.NOTSET)


@pytest.fixture
def run(bench, tmp_path):
    config = tmp_path / 'config.py'
    config.write_text(CONFIG)

    def run(*args):
        bench.main([
            '--config',
            str(config), '--crop', '64', '--batch', '6', '--repeats', '1',
            *args
        ])

    return run


def test_equal_steps_are_timed(run, capsys, tmp_path):
    out = tmp_path / 'out.json'
    for options in ((), ('--stages', '--bf16')):
        run('--json', str(out), *options)
    printed = capsys.readouterr().out
    assert printed.count('loss_two') == printed.count('ratio') == 2
    plain, stages = map(json.loads, out.read_text().splitlines())
    assert set(plain['ratio']) == {'total'}
    assert (plain['bf16'], stages['bf16']) == (False, True)
    assert (plain['crop'], plain['batch']) == (64, 6)
    for name in ('ours', 'straightforward'):
        times = stages[name]
        parts = times['labels'] + times['forwards'] + times['backward']
        assert parts == pytest.approx(times['total'])
        assert min(times.values()) > 0


@pytest.mark.parametrize('fault, message', [
    ('erasing', 'loss_local differs'),
    ('labels', 'of the label pixels differ'),
    ('gradient', 'the gradients differ'),
    ('degenerate', 'no ignored pixels'),
])
def test_differences_are_noticed(bench, run, monkeypatch, fault, message):
    build = bench.build_models

    def faulty(args):
        ours, other = build(args)
        if fault == 'erasing':
            other.erase_threshold = 0.5
        elif fault == 'labels':
            other.labeler.thresholds = (0.32, 0.15)
        elif fault == 'gradient':
            other.head.fc8.weight.register_hook(lambda grad: grad * 1.01)
        else:
            for model in (ours, other):
                model.labeler.thresholds = (0.3, 0.3)
        return ours, other

    monkeypatch.setattr(bench, 'build_models', faulty)
    with pytest.raises(SystemExit, match=message):
        run()


def test_other_models_are_refused(run, tmp_path):
    config = tmp_path / 'gpp.py'
    config.write_text(f"_base_ = '{ROOT}/configs/ktse/gpp_r50_voc.py'")
    with pytest.raises(SystemExit, match='a KTSE with all its terms'):
        run('--config', str(config))
