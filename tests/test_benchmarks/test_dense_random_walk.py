# Copyright (c) mmktse authors. All rights reserved.
import pytest

SMALL = '--size 7x9 --repeats 1 --threads 1'.split()


def test_differences_are_noticed(load, monkeypatch):
    bench = load('random_walk')
    row, = bench.measure(bench.parse_args(SMALL))
    assert row.ratio > 0
    dense_walk = bench.dense_walk
    monkeypatch.setattr(bench, 'dense_walk',
                        lambda *args: dense_walk(*args) * 1.01)
    with pytest.raises(SystemExit, match='maps differ by'):
        bench.main(SMALL)
