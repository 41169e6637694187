# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest

from mmktse.models.refiners import PARRefiner
from mmktse.registry import MODELS


def test_registered_with_settings():
    refiner = MODELS.build(dict(type='PARRefiner', num_iters=2))
    scores = np.full((2, 30, 30), .5, np.float32)
    refined = refiner(np.zeros((30, 30, 3), np.uint8), scores)
    np.testing.assert_allclose(refined, .5 * 1.01**2, rtol=1e-5)


@pytest.mark.parity
def test_golden(parity_dir):
    golden = np.load(f'{parity_dir}/par.npz')
    for i in range(3):
        refined = PARRefiner()(golden['image_u8'][i].transpose(1, 2, 0),
                               golden['masks'][i])
        np.testing.assert_allclose(
            refined, golden['refined'][i], rtol=0, atol=1.1e-5)
