# Copyright (c) mmktse authors. All rights reserved.
from collections import Counter

import pytest
import torch

from mmktse.models.utils.class_mix import (boundary, choose_paste, class_mix,
                                           partner)

# Rows of the golden batches: 0 <- 2, 2 <- 0, 1 <- 3, 3 <- 1.
ORDER = [0, 2, 1, 3]


def test_half_of_the_classes_and_nothing_else():
    torch.manual_seed(0)
    label = torch.tensor([0, 1, 2, 3, 3, 255]).view(1, 2, 3)
    seen = Counter()
    for _ in range(300):
        paste = choose_paste(label, 6)
        taken = set(label[paste].tolist())
        assert len(taken) == 2 and taken <= {1, 2, 3}  # ceil(3 / 2)
        for value in taken:  # whole objects
            assert paste[label == value].all()
        seen[tuple(sorted(taken))] += 1
    assert set(seen) == {(1, 2), (1, 3), (2, 3)}
    assert min(seen.values()) > 60


def test_unsure_pixels_make_no_class_and_are_not_taken():
    label = torch.tensor([[1, 1, 2, 0]]).view(1, 1, 4)
    confident = torch.tensor([[True, False, False, True]]).view(1, 1, 4)
    paste = choose_paste(label, 3, confident)
    assert paste.flatten().tolist() == [True, False, False, False]


def test_images_without_foreground_paste_nothing():
    label = torch.stack((torch.zeros(3, 4).long(), torch.full((3, 4), 255)))
    assert not choose_paste(label, 5).any()


def test_images_draw_apart():
    torch.manual_seed(1)
    label = torch.tensor([1, 2]).view(1, 1, 2).repeat(40, 1, 1)
    first = choose_paste(label, 3)[:, 0, 0].float().mean()
    assert 0 < first < 1


@pytest.mark.parity
@pytest.mark.parametrize('phase', ['warm', 'online'])
def test_golden_batches(parity, phase):
    data = parity('beco')
    given = data['label'].long(), data['mask'][:, 0] > 0
    online = given
    if phase == 'online':
        online = data['pred_label'].long(), data['pred_mask'].view_as(
            given[1]) > 0
    paste = torch.empty_like(given[1])
    mixed = torch.empty(4, dtype=torch.bool)
    paste[ORDER] = data[f'{phase}_paste'] > 0
    mixed[ORDER] = data[f'{phase}_mixed']
    image, label, confidence = class_mix(data['img'], given, online, paste,
                                         mixed)
    assert torch.equal(image[ORDER], data[f'{phase}_mix_img'])
    assert torch.equal(label[ORDER], data[f'{phase}_mix_label'].long())
    assert torch.equal(confidence[ORDER].byte(), data[f'{phase}_mix_mask'])
    if phase == 'online':
        assert torch.equal(
            boundary(paste)[ORDER].byte(), data['online_mix_bdry'])
    # What was pasted is a choice that the rule can make.
    source, sure = (partner(value) for value in online)
    for i in mixed.nonzero().flatten():
        usable = (source[i] > 0) & (source[i] < 255)
        if phase == 'online':
            usable &= sure[i]
        taken = source[i][paste[i]].unique()
        assert len(taken) == -(-len(source[i][usable].unique()) // 2)
        assert torch.equal(paste[i], usable & torch.isin(source[i], taken))


@pytest.mark.parity
def test_golden_boundary(parity):
    data = parity('beco')
    mask = data['boundary_mask'][None] > 0
    for size in (1, 2):
        got = boundary(mask, size)[0]
        assert torch.equal(got.byte(), data[f'boundary_{size}'])
    full = torch.ones_like(mask)
    assert torch.equal(boundary(full)[0].byte(), data['boundary_of_full_mask'])
