# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest

from mmktse.models.refiners import BaseRefiner


class _Same(BaseRefiner):

    def refine(self, image, scores):
        return scores


@pytest.mark.parametrize('image', [
    np.zeros((4, 5, 3), np.float32),
    np.zeros((5, 4, 3), np.uint8),
    np.zeros((4, 5), np.uint8),
])
def test_image_that_does_not_fit_is_refused(image):
    with pytest.raises(ValueError, match='is needed'):
        _Same()(image, np.zeros((2, 4, 5)))


def test_scores_become_float32():
    image = np.zeros((4, 5, 3), np.uint8)
    assert _Same()(image, np.zeros((2, 4, 5))).dtype == np.float32
