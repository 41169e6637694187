# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mmktse.evaluation.seed_histogram import SeedHistogram
from mmktse.seeds import make_label


def _random_image(seed):
    rng = np.random.default_rng(seed)
    # Scores on the grid of thresholds, so that many are equal to one.
    cam = (rng.integers(0, 101, (2, 9, 11)) / 100).astype(np.float32)
    truth = rng.choice([0, 1, 2, 3, 4, 255], (9, 11)).astype(np.uint8)
    return truth, cam, np.array([1, 3])


def test_one_pass_equals_labelling_at_every_threshold():
    histogram = SeedHistogram(4)
    images = [_random_image(seed) for seed in range(3)]
    for image in images:
        histogram.counts += histogram.count(*image)
    rates = histogram.rates()
    for place, threshold in enumerate(histogram.thresholds):
        hit, truth, predicted = np.zeros((3, 5))
        for mask, cam, classes in images:
            label = make_label(cam, classes, threshold)[mask != 255]
            mask = mask[mask != 255]
            truth += np.bincount(mask, minlength=5)
            predicted += np.bincount(label, minlength=5)
            hit += np.bincount(mask[mask == label], minlength=5)
        iou = hit / (truth + predicted - hit)
        np.testing.assert_allclose(rates['IoU'][:, place], 100 * iou)
        assert rates['mIoU'][place] == pytest.approx(100 * np.nanmean(iou))
        assert rates['recall'][place] == pytest.approx(100 *
                                                       np.mean(hit / truth))


@pytest.mark.parametrize('thresholds', [
    None, [0, .5, 1], [.2, .2001, .2002, .20021, .9], [.7],
    np.linspace(0, 1, 3001)
])
def test_levels_are_those_of_a_search(thresholds):
    histogram = SeedHistogram(2, thresholds)
    limits = histogram.thresholds.astype(np.float32)
    score = np.random.default_rng(0).random(4000, np.float32)
    score = np.concatenate([
        score, limits,
        np.nextafter(limits, np.float32(2)),
        np.nextafter(limits, np.float32(-1)), [0, 1]
    ]).clip(0, 1).astype(np.float32)
    assert np.array_equal(
        histogram._levels(score), np.searchsorted(limits, score))


def test_counts_are_linear_in_the_classes():
    histogram = SeedHistogram(1000)
    counts = histogram.count(
        np.array([[0, 3, 255, 255]]), np.full((2, 1, 4), .5),
        np.array([2, 999]))
    assert counts.size == 3 * 1001 * 102
    # Void pixels are left out; class 2 is the first of two equals.
    assert counts[:, :, 50].sum(1).tolist() == [2, 2, 1]
    assert counts[1, 3, 50] == 2 and counts[2, 3, 50] == 1


def test_image_without_class_counts_as_background():
    histogram = SeedHistogram(2, [.3])
    histogram.counts += histogram.count(
        np.array([[0, 1]]), np.zeros((0, 1, 2)), np.zeros(0, int))
    assert histogram.rates()['IoU'][:2, 0].tolist() == [50, 0]


@pytest.mark.parity
def test_golden_sweep(parity_dir):
    golden = np.load(f'{parity_dir}/seed_eval.npz')
    histogram = SeedHistogram(20, golden['thresholds'])
    for i in range(6):
        histogram.counts += histogram.count(*(golden[f'{key}{i}']
                                              for key in ('gt', 'cam',
                                                          'classes')))
    rates = histogram.rates(absent_as_zero=True)
    np.testing.assert_allclose(rates['mIoU'], golden['miou'], atol=1e-9)
    np.testing.assert_allclose(
        np.nan_to_num(rates['IoU'].T), golden['iou'], atol=1e-9)


@given(
    data=st.data(),
    num_classes=st.integers(1, 3),
    thresholds=st.lists(
        st.floats(0, 1, width=32), min_size=1, max_size=4, unique=True))
def test_one_pass_is_every_pass(data, num_classes, thresholds):
    """Whatever the scores: equal to thresholds, to each other, or 0."""
    scores = st.one_of(
        st.sampled_from([0., *thresholds]), st.floats(0, 1, width=32))
    classes = np.array(
        data.draw(
            st.lists(
                st.integers(0, num_classes - 1),
                max_size=num_classes,
                unique=True)), int)
    cam = data.draw(arrays(np.float32, (len(classes), 2, 3), elements=scores))
    truth = data.draw(
        arrays(
            np.uint8, (2, 3),
            elements=st.sampled_from([*range(num_classes + 1), 255])))
    histogram = SeedHistogram(num_classes, thresholds)
    # Twice the same image: counts of a set are sums.
    histogram.counts += 2 * histogram.count(truth, cam, classes)
    keep = truth != 255
    rates = histogram.rates()
    for place, threshold in enumerate(histogram.thresholds):
        label = make_label(cam, classes, threshold)
        for c in range(num_classes + 1):
            hit = ((label == c) & (truth == c))[keep].sum()
            union = ((label == c) | (truth == c))[keep].sum()
            want = 100 * hit / union if union else np.nan
            np.testing.assert_allclose(rates['IoU'][c, place], want)
