# Copyright (c) mmktse authors. All rights reserved.
import json
from contextlib import nullcontext

import pytest


@pytest.fixture
def bench(load):
    pytest.importorskip('timm')
    return load('cam_inference')


SMALL = ('--images 3 --size 40x56 --classes 4 --repeats 1 --batch 3 '
         '--threads 1').split()


def test_maps_agree_and_figures_are_written(bench, monkeypatch, tmp_path,
                                            capsys):
    half = []

    def autocast(enabled, **kwargs):
        half.append(enabled)  # Slow where the processor has no bfloat16.
        return nullcontext()

    monkeypatch.setattr(bench, 'autocast', autocast)
    figures = tmp_path / 'figures.json'
    bench.main([*SMALL, '--bf16', '--json', str(figures)])
    assert half == 2 * [False, False, True]
    rows = json.loads(figures.read_text())['rows']
    assert [row['what'].split(', ', 3)[-1] for row in rows] == [
        'one image a batch', 'batches of 3', 'batches of 3, bfloat16',
        'stored seeds of 3 images'
    ]
    assert rows[-1]['ours'] < rows[-1]['straightforward']
    printed = capsys.readouterr().out
    assert 'GFLOP an image' in printed
    differences = [
        float(line.split()[-1]) for line in printed.splitlines()
        if 'largest difference' in line
    ]
    assert 0 < differences[1] < 2e-3


def test_differences_are_noticed(bench, monkeypatch):
    save_seed = bench.save_seed
    monkeypatch.setattr(
        bench, 'save_seed',
        lambda path, cam, *args: save_seed(path, cam * .9, *args))
    with pytest.raises(SystemExit, match='the maps differ by'):
        bench.main(SMALL)
