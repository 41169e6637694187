# Copyright (c) mmktse authors. All rights reserved.
from types import SimpleNamespace

import numpy as np
import pytest

from mmktse.evaluation import evaluate_labels
from mmktse.evaluation.label_evaluation import count_label_pixels, label_rates
from mmktse.seeds import save_label_map


class _Listing(SimpleNamespace):

    def __len__(self):
        return len(self.samples)

    def get_data_info(self, index):
        return self.samples[index]


@pytest.fixture
def dataset(tmp_path):
    save_label_map(tmp_path / 'gt.png', np.array([[0, 0, 1, 1, 255]]))
    return _Listing(
        metainfo=dict(classes=('cat', 'dog')),
        samples=[dict(img_id='x', seg_map_path=str(tmp_path / 'gt.png'))])


def test_void_has_its_own_column():
    truth = np.array([[0, 0, 1, 1, 255, 2]], np.uint8)
    label = np.array([[0, 1, 1, 255, 1, 255]], np.uint8)
    counts = count_label_pixels(label, truth, 2)
    assert counts.tolist() == [[1, 1, 0, 0], [0, 1, 0, 1], [0, 0, 0, 1]]
    rates = label_rates(counts)
    assert rates['coverage'] == pytest.approx(60)
    np.testing.assert_allclose(rates['IoU'], [50, 50, np.nan])


def test_counts(tmp_path, dataset):
    save_label_map(tmp_path / 'x.png', np.array([[0, 1, 1, 255, 1]]))
    result = evaluate_labels(tmp_path, dataset)
    assert result['per_class']['background'] == pytest.approx(50)
    assert result['per_class']['cat'] == pytest.approx(50)
    assert np.isnan(result['per_class']['dog'])
    assert result['mIoU'] == pytest.approx(50)
    assert result['precision'] == pytest.approx(75)
    assert result['recall'] == pytest.approx(75)
    assert result['coverage'] == pytest.approx(75)
    zero = evaluate_labels(tmp_path, dataset, absent_as_zero=True)
    assert zero['mIoU'] == pytest.approx(100 / 3)


def test_bad_files_are_named(tmp_path, dataset):
    with pytest.raises(FileNotFoundError, match='x.png'):
        evaluate_labels(tmp_path, dataset)
    save_label_map(tmp_path / 'x.png', np.zeros((2, 2)))
    with pytest.raises(ValueError, match='gt.png has height x width 1x5'):
        evaluate_labels(tmp_path, dataset)
