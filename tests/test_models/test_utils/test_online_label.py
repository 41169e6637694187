# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch

from mmktse.models.classifiers import CAMDataPreprocessor
from mmktse.models.utils import OnlineLabeler


def counts(targets):
    return [int(n) for n in targets.sum(1)]


@pytest.mark.parity
def test_golden(parity):
    data = parity('pseudo_labels')
    targets = data['y'].float()
    images = data['par_image_bgr_u8'].flip(1).float() / 255
    got = OnlineLabeler(tuple(data['thresholds'].tolist()))(images, data['S'],
                                                            targets,
                                                            counts(targets))
    clear = ~data['near_tie']
    assert torch.equal(got[clear], data['label'].long()[clear])


@pytest.mark.parity
def test_golden_from_the_network_input(parity):
    """With the published truncation nothing needs to be handed in."""
    data = parity('pseudo_labels')
    preprocessor = CAMDataPreprocessor(
        mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
    inputs = [
        preprocessor.normalize(image.permute(2, 0, 1))
        for image in data['image_u8']
    ]
    images = preprocessor.denormalize(torch.stack(inputs))
    labeler = OnlineLabeler(truncate_image=True)
    seen = labeler.truncate(images) * 255
    assert torch.equal(seen.byte().flip(1), data['par_image_bgr_u8'])
    targets = data['y'].float()
    got = labeler(images, data['S'], targets, counts(targets))
    clear = ~data['near_tie']
    assert torch.equal(got[clear], data['label'].long()[clear])


def test_truncation_keeps_padding_and_lowers_levels():
    labeler = OnlineLabeler()
    levels = torch.arange(256.).expand(1, 3, 256)[..., None] / 255
    low = levels * 255 - labeler.truncate(levels) * 255
    # The shares of levels that come out one too low, for red, green and blue.
    assert low.round().mean(
        (0, 2, 3)).tolist() == pytest.approx([.109375, .36328125, .78125],
                                             abs=1e-6)
    padding = torch.tensor([123.675, 116.28, 103.53])[None, :, None, None]
    got = labeler.truncate(padding / 255) * 255
    assert got.flatten().tolist() == pytest.approx([123, 116, 103])


@pytest.mark.parity
def test_flood_only_in_parity_mode(parity):
    data = parity('pseudo_labels')
    images = data['par_image_bgr_u8'][:1].float() / 255
    targets = data['y'][:1].float()
    args = images, data['flood_S'], targets, counts(targets)
    published = OnlineLabeler(keep_empty=True)(*args)
    assert torch.equal(published, data['flood_label'].long())
    assert not OnlineLabeler()(*args).any()


def test_no_class_and_one_class():
    images = torch.zeros(2, 3, 32, 32)
    images[:, :, :16] = 1
    scores = torch.full((2, 3, 4, 4), -1.)
    scores[1, 2, :2] = 5.
    targets = torch.tensor([[0., 0, 0], [0, 0, 1]])
    labels = OnlineLabeler()(images, scores, targets, [0, 1])
    assert labels.shape == (2, 32, 32) and labels.dtype == torch.long
    assert not labels[0].any()
    assert (labels[1, :14] == 3).all() and not labels[1, 18:].any()
