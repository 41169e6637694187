# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest
from PIL import Image

from mmktse.visualization.training_curve import (running_mean,
                                                 save_training_curves)


def test_running_mean():
    values = np.array([1., 2., 6., 4.])
    np.testing.assert_array_equal(running_mean(values, 1), values)
    np.testing.assert_allclose(running_mean(values, 2), [1, 1.5, 4, 5])
    np.testing.assert_allclose(running_mean(values, 9), [1, 1.5, 3, 3.25])


def test_running_mean_of_a_gap():
    values = np.array([1., np.nan, 3., 5.])
    np.testing.assert_allclose(running_mean(values, 2), [1, 1, 3, 4])


def test_save_training_curves(tmp_path):
    curve = dict(steps=np.arange(5), values=np.ones(5), unit='iteration')
    one = {'loss': curve, 'loss_sie': curve, 'peak': curve, 'lr': curve}
    point = dict(
        steps=np.array([3]), values=np.array([41.]), unit='evaluation step')
    runs = {'one': one, 'two': {'loss': curve, 'mIoU': point}}
    path = str(tmp_path / 'log.png')
    all_size = Image.open(save_training_curves(path, runs)).size
    some = Image.open(
        save_training_curves(path, runs, ['loss*', 'mIoU'], smooth=3))
    assert some.width == all_size[0] and some.height < all_size[1]
    with pytest.raises(ValueError, match='No run logged "los"; .*loss_sie'):
        save_training_curves(path, runs, ['los'])
    with pytest.raises(ValueError, match='nothing to plot'):
        save_training_curves(path, {'empty': {}})
    with pytest.raises(ValueError, match='smooth'):
        save_training_curves(path, runs, smooth=0)
