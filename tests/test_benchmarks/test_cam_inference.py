# Copyright (c) mmktse authors. All rights reserved.
import json
import logging
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_maps_agree_and_figures_are_written(tmp_path, monkeypatch, capsys):
    pytest.importorskip('timm')
    monkeypatch.chdir(ROOT)
    figures = tmp_path / 'figures.json'
    words = '--images 3 --size 40 56 --classes 4 --repeats 1 --batch 3'
    monkeypatch.setattr(
        sys, 'argv',
        ['cam_inference.py', *words.split(), '--json',
         str(figures)])
    try:
        runpy.run_path(
            str(ROOT / 'benchmarks/cam_inference.py'), run_name='__main__')
    finally:
        logging.disable(logging.NOTSET)
    rows = json.loads(figures.read_text())['rows']
    assert [row['name']
            for row in rows[:3]] == ['straightforward', 'ours', 'ours, batch']
    assert 0 < rows[2]['largest_difference'] < 2e-3
    assert rows[1]['mebibytes'] < rows[0]['mebibytes']
    assert 'ratio' in capsys.readouterr().out
