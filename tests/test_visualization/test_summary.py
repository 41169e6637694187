# Copyright (c) mmktse authors. All rights reserved.
import pytest
from PIL import Image

from mmktse.evaluation import evaluate_seeds
from mmktse.visualization.run_source import RunSource
from mmktse.visualization.summary import save_summary


def test_save_summary(dataset, tmp_path):
    folder = tmp_path / 'run'
    runs = [RunSource('CAM', str(folder), 'cam'), RunSource('b', str(folder))]
    path = str(tmp_path / 'summary.png')
    common = (path, dataset.samples, runs, dataset.metainfo['classes'])
    heights = []
    for extra in (dict(), dict(scores={'baseline (train, oracle)': 40.5}),
                  dict(
                      scores={f'stage {i}': 10. * i
                              for i in range(9)},
                      curves={'a': evaluate_seeds(folder / 'seeds',
                                                  dataset)})):
        assert save_summary(*common, **extra) == path
        heights.append(Image.open(path).height)
    # Pictures only; one bar; many bars and a curve.
    assert heights[0] < heights[1] < heights[2]


def test_bad_arguments(dataset, tmp_path):
    path = str(tmp_path / 'summary.png')
    with pytest.raises(ValueError, match='at least one image'):
        save_summary(path, [], [], ('a', ))
    with pytest.raises(ValueError, match='at least one run'):
        save_summary(path, dataset.samples, [], ('a', ))
