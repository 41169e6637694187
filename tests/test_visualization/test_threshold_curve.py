# Copyright (c) mmktse authors. All rights reserved.
import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from mmktse.evaluation import evaluate_seeds
from mmktse.visualization.threshold_curve import (draw_curve, load_curve,
                                                  save_threshold_curve)


@pytest.fixture
def summary(dataset, tmp_path):
    return evaluate_seeds(tmp_path / 'run/seeds', dataset)


def test_marks_lie_on_the_curve(summary):
    ax = Figure().subplots()
    draw_curve(ax, {'a': summary}, 'recall')
    line, star, dot = ax.lines
    curve = dict(zip(*line.get_data()))
    for mark, which in ((star, 'oracle'), (dot, 'fixed')):
        (x, ), (y, ) = mark.get_data()
        assert x == summary[which]['threshold'] and curve[x] == y
    assert ax.get_ylabel() == 'recall (%)'


def test_json_round_trip_and_plot(summary, tmp_path):
    (tmp_path / 'a.json').write_text(json.dumps(summary))
    loaded = load_curve(tmp_path / 'a.json')
    np.testing.assert_equal(loaded['curve'], summary['curve'])
    path = save_threshold_curve(
        str(tmp_path / 'curve.png'), {
            'a': summary,
            'only a curve': dict(curve=summary['curve'])
        }, 'train')
    assert np.array(Image.open(path)).std() > 0
    with pytest.raises(ValueError, match='at least one run'):
        save_threshold_curve(path, {})


@pytest.mark.parametrize('text, message', [
    ('{', 'is not JSON'),
    ('[]', 'no threshold curve'),
    ('{"oracle": {}}', 'no threshold curve'),
    ('{"curve": {"threshold": [0, 1], "mIoU": [3]}}', 'no threshold curve'),
])
def test_other_files_are_refused(tmp_path, text, message):
    (tmp_path / 'bad.json').write_text(text)
    with pytest.raises(ValueError, match=message):
        load_curve(tmp_path / 'bad.json')
