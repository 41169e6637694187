# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest

from mmktse.evaluation import evaluate_labels, evaluate_seeds
from mmktse.visualization.report_statistics import (Example, FirstExamples,
                                                    ReportStatistics,
                                                    collect_statistics)


def indices(kept, **kwargs):
    return [example.index for example in kept.examples(**kwargs)]


def test_first_examples():
    kept = FirstExamples(3)
    for index, key in enumerate((5., 1., 3., 1., 9., 4.)):
        kept.add((key, ), Example(index, dict(IoU=key)))
    assert indices(kept) == [1, 3, 2]
    assert kept.examples()[2].figures == dict(IoU=3.)
    assert indices(kept, without=[Example(3, {})]) == [1, 2]


def test_worst_and_best_by_hand():
    statistics = ReportStatistics(2, .3, 2)
    truth = np.zeros((1, 10), np.uint8)
    truth[:, :4] = 1
    cases = ((4, 0), (2, 0), (4, 4), (0, 3), (0, 6))
    for index, (right, wrong) in enumerate(cases):
        label = np.zeros_like(truth)
        label[:, :right] = 1
        label[:, 4:4 + wrong] = 1
        statistics.add(index, label, [0], truth)
    # IoU 1, 1/2, 1/2, 0 and 0; of equals the larger union comes first.
    galleries = statistics.galleries
    assert indices(galleries['worst'][0]) == [4, 3]
    assert indices(galleries['best'][0]) == [0, 2]
    best = galleries['best'][0].examples()[1].figures
    assert best == dict(IoU=50, precision=50, recall=100, ignored=0)
    assert galleries['worst'][0].examples()[0].figures['precision'] == 0
    # The other class is in no image.
    assert indices(galleries['worst'][1]) == []
    assert statistics.num_measured == statistics.num_images == 5
    assert statistics.label_rates()['coverage'] == 100
    np.testing.assert_allclose(statistics.class_rates()['recall'],
                               [100 * 17 / 30, 50, np.nan])


def test_tags_and_shares():
    statistics = ReportStatistics(2, .3, 3)
    labels = np.array(
        [[0, 0, 1, 1], [0, 0, 0, 0], [255, 255, 255, 0], [2, 2, 2, 0]],
        np.uint8)
    for index, (row,
                tags) in enumerate(zip(labels, ([0, 1], [0], [0, 1], None))):
        statistics.add(index, row[None], tags)
    assert statistics.pixels.tolist() == [8, 2, 3, 3]
    # Without tags what is labelled counts.
    assert statistics.tagged.tolist() == [4, 3, 3]
    assert statistics.missed.tolist() == [0, 2, 2]
    assert statistics.num_unlabelled == 2
    assert indices(statistics.unlabelled) == [1, 2]
    assert indices(statistics.ignored) == [2]
    assert indices(statistics.galleries['smallest'][0]) == [1, 2, 0]
    assert indices(statistics.galleries['largest'][1]) == [3, 0, 2]
    assert statistics.num_measured == 0
    assert statistics.seed_summary() is None


def test_random_images_depend_on_the_seed_alone():
    picks = []
    for seed in (0, 0, 1, 2, 3):
        statistics = ReportStatistics(1, .3, 2, seed)
        for index in range(30):
            statistics.add(index, np.ones((1, 1), np.uint8))
        picks.append(indices(statistics.galleries['random'][0]))
    assert picks[0] == picks[1]
    assert len({tuple(pick) for pick in picks}) > 1


def test_one_pass_gives_the_same_as_the_evaluations(dataset, tmp_path):
    run = tmp_path / 'run'
    statistics = collect_statistics(dataset, run, .1, run)
    labels = evaluate_labels(run / 'SegmentationClass', dataset)
    rates = statistics.label_rates()
    assert rates.pop('IoU').tolist() == list(labels.pop('per_class').values())
    assert rates == labels
    assert statistics.seed_summary() == evaluate_seeds(
        run / 'seeds', dataset, fixed_threshold=.1)


def test_files_that_do_not_fit_are_named(dataset, tmp_path):
    run = tmp_path / 'run'
    dataset.metainfo = dict(classes=('left', ))
    with pytest.raises(ValueError, match='im0.png holds the value 2'):
        collect_statistics(dataset, run, .3)
    (run / 'SegmentationClass/im0.png').unlink()
    with pytest.raises(FileNotFoundError, match='im0.png'):
        collect_statistics(dataset, run, .3)
