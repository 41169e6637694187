# Copyright (c) mmktse authors. All rights reserved.
import json
import runpy
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / 'benchmarks' / 'crf_pool.py'


def test_labels_agree_and_figures_are_written(tmp_path, monkeypatch):
    pytest.importorskip('pydensecrf')
    figures = tmp_path / 'figures.json'
    words = '--images 3 --size 24 32 --classes 4 --workers 1'
    monkeypatch.setattr(
        sys, 'argv', ['crf_pool.py', *words.split(), '--json',
                      str(figures)])
    runpy.run_path(str(TOOL), run_name='__main__')
    rows = json.loads(figures.read_text())
    assert rows['one_process'] > 0 and rows['workers'] == 1
