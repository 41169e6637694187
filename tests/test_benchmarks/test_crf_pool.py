# Copyright (c) mmktse authors. All rights reserved.
import pytest

SMALL = '--images 3 --size 24x32 --classes 4 --workers 1'.split()


@pytest.fixture
def bench(load):
    pytest.importorskip('pydensecrf')
    return load('crf_pool')


# test_run.py runs it with processes.
def test_other_labels_are_noticed(bench, monkeypatch):
    monkeypatch.setattr(
        bench, 'in_pool', lambda dataset, root, workers:
        (1. + workers, {
            '0.png': bytes([workers])
        }))
    with pytest.raises(SystemExit, match='other label maps'):
        bench.main(SMALL)


def test_ratio_is_of_the_cores(bench, monkeypatch):
    seconds = {(3, 0): 30., (3, 2): 19., (2, 2): 14.}
    monkeypatch.setattr(
        bench, 'in_pool', lambda dataset, root, workers:
        (seconds[len(dataset), workers], {}))
    args = bench.parse_args([*SMALL[:-1], '2'])
    pool, started, _ = bench.measure(args)
    # Two images in two processes take ten seconds of these 14.
    assert pool.ratio == pytest.approx(30 / (19 - 4) / 2)
    assert started.ratio == pytest.approx(30 / 19 / 2)
    assert pool.target == .9
