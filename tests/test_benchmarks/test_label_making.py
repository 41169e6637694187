# Copyright (c) mmktse authors. All rights reserved.
import pytest

SMALL = '--images 3 --size 24x32 --classes 4 --workers 0'.split()


def test_differences_are_noticed(load, monkeypatch):
    bench = load('label_making')
    row, = bench.measure(bench.parse_args(SMALL))
    assert (row.unit, row.target) == ('images/s', 2)
    monkeypatch.setattr(bench, 'THRESHOLD', .5)
    make_labels = bench.make_labels

    def with_another_threshold(*args):
        with monkeypatch.context() as patch:
            patch.setattr(bench, 'THRESHOLD', .6)
            make_labels(*args)

    monkeypatch.setattr(bench, 'make_labels', with_another_threshold)
    with pytest.raises(SystemExit, match='label pixels differ'):
        bench.main(SMALL)
