# Copyright (c) mmktse authors. All rights reserved.
import pytest

SMALL = '--batch 2 --size 64 --repeats 1 --threads 1'.split()


def test_differences_are_noticed(load, monkeypatch):
    pytest.importorskip('timm')
    bench = load('dilated_depthwise')
    row, = bench.measure(bench.parse_args(SMALL))
    assert row.ours > 0 and row.straightforward > 0
    monkeypatch.setattr(bench, 'make_plain',
                        lambda model: model.requires_grad_(False))
    monkeypatch.setattr(
        bench, 'step', lambda model, images:
        (1., images.mean() * next(model.parameters()).requires_grad, []))
    with pytest.raises(SystemExit, match='results differ'):
        bench.main(SMALL)
