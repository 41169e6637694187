# Copyright (c) mmktse authors. All rights reserved.
import pytest

SMALL = '--batch 2 --crop 64 --classes 4 --repeats 1 --threads 1'.split()


def test_differences_are_noticed(load, monkeypatch):
    bench = load('par')
    row, = bench.measure(bench.parse_args(SMALL))
    assert (row.unit, row.target) == ('s', 2)
    monkeypatch.setattr(
        bench, 'straightforward', lambda labeler, *batch: labeler(
            *batch, batch[2].sum(1).int().tolist()).clamp(max=3))
    with pytest.raises(SystemExit, match='label pixels differ'):
        bench.main(SMALL)
