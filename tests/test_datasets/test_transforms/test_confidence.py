# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest
from mmseg.datasets.transforms import RandomFlip

from mmktse.datasets.transforms import LoadConfidence, PackConfidentSegInputs
from mmktse.seeds.label_io import save_confidence


@pytest.fixture
def results(tmp_path):
    mask = np.zeros((4, 6), bool)
    mask[1, :2] = True
    save_confidence(tmp_path / 'x.png', mask)
    return dict(
        img=np.zeros((4, 6, 3), np.uint8),
        gt_seg_map=mask.astype(np.uint8) * 2,
        seg_fields=['gt_seg_map'],
        confidence_path=str(tmp_path / 'x.png'))


def test_mask_goes_with_the_label(results):
    results = RandomFlip(prob=1.)(LoadConfidence()(results))
    sample = PackConfidentSegInputs()(results)['data_samples']
    confidence = sample.gt_confidence.data
    assert confidence.shape == (1, 4, 6)
    assert confidence.sum() == 2 and confidence[0, 1, 4:].all()
    assert ((sample.gt_sem_seg.data == 2) == (confidence == 1)).all()


def test_mask_of_another_size_is_named(results):
    results['gt_seg_map'] = np.zeros((5, 6), np.uint8)
    with pytest.raises(ValueError, match='x.png'):
        LoadConfidence()(results)
