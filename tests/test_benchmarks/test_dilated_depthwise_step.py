# Copyright (c) mmktse authors. All rights reserved.
import json
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_results_agree_and_figures_are_written(tmp_path, monkeypatch, capsys):
    pytest.importorskip('timm')
    figures = tmp_path / 'figures.json'
    words = '--batch 2 --size 64 --repeats 1 --json'
    monkeypatch.setattr(sys, 'argv',
                        ['dilated_depthwise.py', *words.split(),
                         str(figures)])
    runpy.run_path(
        str(ROOT / 'benchmarks/dilated_depthwise.py'), run_name='__main__')
    assert set(json.loads(figures.read_text())) == {'plain', 'split', 'ratio'}
    assert 'ratio' in capsys.readouterr().out
