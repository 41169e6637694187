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


def test_large_image_is_refined_small():
    seen = []

    class Record(BaseRefiner):

        def refine(self, image, scores):
            seen.append((image, scores))
            return 2 * scores

    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 30:] = 200
    scores = np.stack([np.full((40, 60), .25), image[..., 0] / 200])
    refined = Record(max_long=30)(image, scores)
    small, small_scores = seen[0]
    assert small.shape == (20, 30, 3) and small_scores.shape == (2, 20, 30)
    assert (small[:, :15] == 0).all() and (small[:, 15:] == 200).all()
    assert refined.shape == scores.shape and refined.dtype == np.float32
    # Far from the edge nothing but the refiner changes the scores.
    far = np.r_[0:26, 34:60]
    np.testing.assert_allclose(
        refined[..., far], 2 * scores[..., far], rtol=0, atol=1e-6)
    # No smaller image is touched.
    np.testing.assert_array_equal(
        Record(max_long=60)(image, scores), 2 * scores.astype(np.float32))
    assert seen[1][0] is image


def test_scores_become_float32():
    image = np.zeros((4, 5, 3), np.uint8)
    assert _Same()(image, np.zeros((2, 4, 5))).dtype == np.float32
