# Copyright (c) mmktse authors. All rights reserved.
import json
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
def bench(load):
    return load('ktse_step')


@pytest.fixture
def run(bench, tmp_path):
    config = tmp_path / 'config.py'
    config.write_text(CONFIG)

    def run(*args):
        bench.main([
            '--config',
            str(config), '--crop', '64', '--batch', '6', '--repeats', '1',
            '--threads', '1', *args
        ])

    return run


def test_equal_steps_are_timed(bench, run, monkeypatch, capsys, tmp_path):
    step, half = bench.Bench.step, []

    def in_float32(self, bf16=False):
        half.append(bf16)  # Slow where the processor has no bfloat16.
        return step(self)

    monkeypatch.setattr(bench.Bench, 'step', in_float32)
    out = tmp_path / 'out.json'
    for options in ((), ('--stages', '--bf16')):
        run('--json', str(out), *options)
    printed = capsys.readouterr().out
    assert printed.count('loss_two') == printed.count('| what') == 2
    plain, stages = map(json.loads, out.read_text().splitlines())
    assert len(plain['rows']) == 1 and plain['rows'][0]['target'] == 1.5
    assert (plain['settings']['bf16'], plain['settings']['crop']) == (False,
                                                                      64)
    assert half[6:] == [False, False] + 2 * [True, True, False]
    rows = stages['rows']
    # Against the straightforward step and against ours in float32.
    assert [row['target'] for row in rows] == [1.5] + [None] * 7
    for four in (rows[:4], rows[4:]):
        for side in ('ours', 'straightforward'):
            total, *parts = (row[side] for row in four)
            assert sum(parts) == pytest.approx(total) and min(parts) > 0


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
