# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mmktse.seeds import make_label
from mmktse.seeds.labels import confidence_mask, make_label_and_confidence

CAM = np.array([[[0., .2, .3, .9]], [[0., .4, .1, .8]]], np.float32)
CLASSES = np.array([2, 6])


def test_argmax_against_constant_background():
    assert make_label(CAM, CLASSES, .3).tolist() == [[0, 7, 0, 3]]
    assert make_label(CAM, CLASSES, .29).tolist() == [[0, 7, 3, 3]]


def test_score_equal_to_threshold_is_background():
    cam = np.full((1, 1, 1), .3, np.float32)
    assert make_label(cam, [4], .3).item() == 0


def test_ignore_band():
    label = make_label(CAM, CLASSES, .5, ignore_threshold=.25)
    assert label.tolist() == [[0, 255, 255, 3]]
    assert label.dtype == np.uint8


def test_power_background():
    label = make_label(CAM, CLASSES, .3, background_alpha=1)
    assert label.tolist() == [[0, 0, 0, 3]]


def test_empty_map_gets_no_pixel():
    cam = np.stack([np.zeros((2, 2)), [[.5, 0], [0, 0]]])
    # At threshold 0 a refiner could lift an empty map above the background.
    lift = (
        lambda image, scores: scores + np.arange(len(scores))[:, None, None])
    label = make_label(cam, [0, 1], .4, image=None, refiner=lift)
    assert set(np.unique(label)) == {2}
    assert not make_label(np.zeros((2, 3, 4)), [0, 1], .0).any()


def test_image_without_class_is_background():
    label = make_label(np.zeros((0, 3, 4)), np.zeros(0, int), .3, .1)
    assert label.shape == (3, 4) and not label.any()


def test_refiner_sees_background_first():
    seen = []

    def refiner(image, scores):
        seen.append((image, scores))
        return scores[::-1]

    label = make_label(CAM, CLASSES, .5, image='image', refiner=refiner)
    assert seen[0][0] == 'image'
    np.testing.assert_array_equal(seen[0][1][1:], CAM)
    assert (seen[0][1][0] == .5).all()
    # Reversed: background takes the scores of class 6, and class 6 its.
    assert label.tolist() == [[7, 7, 7, 3]]


def test_surest_pixels_of_every_class():
    scores = np.array([[[.5, .5, .5, .5, .5, .5, .5]],
                       [[.9, .6, .7, .2, .1, .4, .6]]])
    label = scores.argmax(0) * 4
    mask = confidence_mask(scores, label, .5)
    # 2 of 4 pixels of the class, 1 of 3 of the background.
    assert mask.tolist() == [[1, 0, 1, 0, 1, 0, 0]]
    assert confidence_mask(scores, label, 1.).all()
    # Among equals the first, and void is never sure.
    label[0, 0] = 255
    equal = np.zeros_like(scores)
    assert confidence_mask(equal, label).tolist() == [[0, 1, 0, 1, 0, 0, 0]]


def test_confidence_of_a_label():
    label, mask = make_label_and_confidence(
        CAM, CLASSES, .5, .25, confidence_share=1.)
    np.testing.assert_array_equal(label, make_label(CAM, CLASSES, .5, .25))
    np.testing.assert_array_equal(mask, label != 255)
    assert make_label_and_confidence(CAM, CLASSES, .5)[1] is None


def test_confidence_where_background_stands_alone():
    settings = dict(threshold=.3, confidence_share=.5)
    label, mask = make_label_and_confidence(
        np.zeros((0, 3, 4)), np.zeros(0, int), **settings)
    assert not label.any() and mask.shape == (3, 4) and mask.all()
    # The class is somewhere, but nobody knows where.
    label, mask = make_label_and_confidence(
        np.zeros((1, 3, 4)), np.array([2]), **settings)
    assert not label.any() and mask.shape == (3, 4) and not mask.any()


def test_impossible_share_is_refused():
    for share in (0, 1.5):
        with pytest.raises(ValueError, match='confidence_share must lie in'):
            make_label_and_confidence(CAM, CLASSES, .5, confidence_share=share)


@pytest.mark.parity
def test_golden_confidence(parity_dir):
    golden = np.load(f'{parity_dir}/beco.npz')
    scores, label = golden['genmask_score'], golden['genmask_pred']
    predicted = golden['genmask_classes'][scores.argmax(0)]
    np.testing.assert_array_equal(predicted, label)
    mask = confidence_mask(scores, label)
    np.testing.assert_array_equal(mask, golden['genmask_mask'] > 0)


@pytest.mark.parametrize('settings, message', [
    (dict(threshold=1.5), 'must lie in'),
    (dict(threshold=.3, ignore_threshold=.3), 'lower than'),
    (dict(threshold=.3, ignore_threshold=.1, background_alpha=2), 'constant'),
])
def test_contradictions_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        make_label(CAM, CLASSES, **settings)


def test_too_many_classes_are_refused():
    with pytest.raises(ValueError, match='254'):
        make_label(np.ones((1, 2, 2)), np.array([254]), .3)


@pytest.mark.parity
def test_golden_two_threshold_label_crf(parity_dir):
    pytest.importorskip('pydensecrf')
    from mmktse.models.refiners import LabelCRFRefiner
    golden = np.load(f'{parity_dir}/irn.npz')
    label = make_label(golden['ir_cam'], golden['ir_classes'], .3, .1,
                       golden['ir_image_u8'], LabelCRFRefiner())
    np.testing.assert_array_equal(label, golden['ir_label'])


@given(
    cam=arrays(np.float32, (3, 2, 4), elements=st.floats(0, 1, width=32)),
    levels=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_label_rule(cam, levels):
    low, high = sorted(levels)
    classes = np.array([5, 0, 2])
    wide, narrow = (make_label(cam, classes, level) for level in (low, high))
    assert set(np.unique(wide)) <= {0, 6, 1, 3}
    # A higher threshold only takes foreground away.
    assert np.array_equal(narrow[narrow > 0], wide[narrow > 0])
    foreground = cam.max(0) > np.float32(high)
    assert np.array_equal(narrow > 0, foreground)
    won = np.take_along_axis(cam, cam.argmax(0)[None], 0)[0]
    for place, c in enumerate(classes):
        assert (cam[place] == won)[narrow == c + 1].all()
    if low < high:
        band = make_label(cam, classes, high, ignore_threshold=low)
        assert np.array_equal(band == 255, (wide > 0) & (narrow == 0))
        assert np.array_equal(band[band < 255], narrow[band < 255])
