# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest

from mmktse.evaluation.rates import class_rates, segmentation_rates

HIT = np.array([6, 2, 0])
TRUTH = np.array([8, 2, 0])
PREDICTED = np.array([6, 4, 0])


def test_rates_of_each_class():
    rates = class_rates(HIT, TRUTH, PREDICTED)
    np.testing.assert_allclose(rates['IoU'], [75, 50, np.nan])
    np.testing.assert_allclose(rates['precision'], [100, 50, np.nan])
    np.testing.assert_allclose(rates['recall'], [75, 100, np.nan])


def test_absent_class_is_left_out():
    rates = segmentation_rates(HIT, TRUTH, PREDICTED)
    assert rates['mIoU'] == pytest.approx((75 + 50) / 2)
    assert rates['precision'] == pytest.approx((100 + 50) / 2)
    assert rates['recall'] == pytest.approx((75 + 100) / 2)
    assert np.isnan(rates['IoU'][2])
    # The second class is the only object.
    assert rates['fg_precision'] == pytest.approx(50)
    assert rates['fg_recall'] == pytest.approx(100)


def test_absent_class_as_zero():
    rates = segmentation_rates(HIT, TRUTH, PREDICTED, absent_as_zero=True)
    assert rates['mIoU'] == pytest.approx((75 + 50) / 3)
    assert rates['fg_precision'] == pytest.approx(50 / 2)


def test_no_pixel_at_all_is_zero():
    rates = segmentation_rates(*[np.zeros(3, int)] * 3)
    assert rates['mIoU'] == rates['precision'] == rates['recall'] == 0
