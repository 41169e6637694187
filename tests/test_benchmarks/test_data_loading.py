# Copyright (c) mmktse authors. All rights reserved.
import pytest


def test_both_count_images_of_pairs(load, monkeypatch):
    pytest.importorskip('timm', reason='of the extra quickstart')
    bench = load('data_loading')
    monkeypatch.setattr(bench.common, 'medians', lambda *_: dict(step=2.))
    timed = bench.common.timed
    monkeypatch.setattr(bench.common, 'timed', lambda *args:
                        (timed(*args)[0], 4.))
    row, = bench.measure(
        bench.parse_args('--images 9 --size 60x80 --classes 3 --batch 4 '
                         '--crop 32 --workers 0'.split()))
    # The ninth image fills no batch.
    assert (row.ours, row.straightforward) == (2 * 8 / 4, 2 * 4 / 2)
