# Copyright (c) mmktse authors. All rights reserved.
import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from mmktse.models.refiners import DenseCRFRefiner, LabelCRFRefiner
from mmktse.registry import MODELS

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize('kind', [DenseCRFRefiner, LabelCRFRefiner])
def test_absent_package_names_extra_and_alternative(monkeypatch, kind):
    monkeypatch.setitem(sys.modules, 'pydensecrf', None)
    with pytest.raises(ImportError, match='extra crf.*PARRefiner'):
        kind()


def test_registered():
    pytest.importorskip('pydensecrf')
    refiner = MODELS.build(dict(type='LabelCRFRefiner', confidence=.8))
    assert refiner.confidence == .8


def test_edge_of_the_image_wins():
    pytest.importorskip('pydensecrf')
    image = np.zeros((12, 16, 3), np.uint8)
    image[:, 8:] = 255
    scores = np.full((2, 12, 16), .2, np.float32)
    scores[0, :, :6] = scores[1, :, 6:] = .8
    for refiner in (DenseCRFRefiner(), LabelCRFRefiner()):
        refined = refiner(image, scores)
        np.testing.assert_allclose(refined.sum(0), 1, atol=1e-4)
        label = refined.argmax(0)
        assert not label[:, :8].any() and label[:, 8:].all()


def test_background_alone():
    pytest.importorskip('pydensecrf')
    image = np.zeros((3, 4, 3), np.uint8)
    for refiner in (DenseCRFRefiner(), LabelCRFRefiner()):
        assert (refiner(image, np.full((1, 3, 4), .3)) == 1).all()


@pytest.mark.parity
def test_golden(parity_dir):
    pytest.importorskip('pydensecrf')
    golden = np.load(f'{parity_dir}/crf.npz')
    image, cam = golden['image_u8'], golden['cam']
    crf = DenseCRFRefiner()
    np.testing.assert_allclose(
        crf(image, golden['probs']), golden['probs_crf'], atol=1e-4)
    for alpha in golden['seed_alphas']:
        background = (1 - cam.max(0, keepdims=True))**alpha
        refined = crf(image, np.concatenate([background, cam]))
        np.testing.assert_allclose(
            refined, golden[f'seed_crf_alpha{alpha}'], atol=1e-4)
    one_hot = golden['label_in'] == np.arange(3)[:, None, None]
    label = LabelCRFRefiner()(image, one_hot).argmax(0)
    np.testing.assert_array_equal(label, golden['label_crf'])


@pytest.mark.parity
def test_golden_predictions(parity_dir):
    """The CRF that BECO refines its predictions by."""
    pytest.importorskip('pydensecrf')
    golden = np.load(f'{parity_dir}/crf.npz')
    config = ROOT / 'configs' / '_base_' / 'seg_runtime.py'
    crf = MODELS.build(
        Config.fromfile(config, import_custom_modules=False).crf)
    for image, want in (('image_u8', 'beco_crf_plain'), ('beco_image_wrapped',
                                                         'beco_crf_wrapped')):
        np.testing.assert_allclose(
            crf(golden[image], golden['probs']), golden[want], atol=1e-4)
