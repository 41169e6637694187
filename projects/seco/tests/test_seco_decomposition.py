# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch

from projects.seco.seco.decomposition import (ImageDecomposition, crop,
                                              sole_class)


@pytest.mark.parity
@pytest.mark.parametrize('name', ['448', '96', '96_coco'])
def test_golden_tags_and_corners(seco_parity, name, monkeypatch):
    data = seco_parity(f'c04_tags_{name}')
    counts = []

    def permutation(count, generator):
        """As drawn there, in case that PyTorch draws otherwise."""
        counts.append(count)
        return data['perm_first'][len(counts) - 1].long()

    monkeypatch.setattr(torch, 'randperm', permutation)
    decompose = ImageDecomposition(
        int(data['crop_num']), int(data['crop_size']),
        float(data['threshold']))
    corners, tags = decompose(data['roi'].long())
    assert counts == data['n_candidates'].tolist()
    assert torch.equal(corners, data['top_left'].long())
    assert torch.equal(tags, data['flags'].long())


def test_published_crops_are_the_same_every_time():
    torch.manual_seed(0)
    roi = torch.randint(-1, 3, (2, 48, 64))
    published = ImageDecomposition(3, 16)
    state = torch.random.get_rng_state()
    first, second = published(roi)[0], published(roi)[0]
    assert torch.equal(first, second)
    assert torch.equal(state, torch.random.get_rng_state())
    free = ImageDecomposition(3, 16, faithful=False)
    assert not torch.equal(free(roi)[0], free(roi)[0])


@pytest.mark.parametrize('faithful', [True, False])
def test_crops_are_centred_on_uncertain_pixels(faithful):
    roi = torch.zeros(2, 40, 56, dtype=torch.long)
    roi[0, 12, 9:20] = -1  # the row of 11 pixels is wide enough for all
    roi[1, 12, 9:12] = -1  # too few: anywhere
    corners, _ = ImageDecomposition(5, 16, faithful=faithful)(roi)
    centres = corners + 8
    assert (centres[0, :, 0] == 12).all()
    assert ((centres[0, :, 1] >= 9) & (centres[0, :, 1] < 20)).all()
    assert len(set(map(tuple, corners[0].tolist()))) == 5
    assert (corners[1] >= 0).all()
    assert (corners[1] + 16 <= torch.tensor([40, 56])).all()


@pytest.mark.parametrize('size', [(16, 40), (17, 18), (8, 8)])
def test_views_without_room_are_refused(size):
    with pytest.raises(ValueError, match='no room for 3 crops of 16'):
        ImageDecomposition(3, 16)(torch.full((1, *size), -1))
    ImageDecomposition(3, 16)(torch.full((1, 17, 19), -1))


def test_what_the_published_code_counts():
    """A band of 6 % of a crop is background for class 1, not for class 20;
    by pixels it is background for both."""
    roi = torch.zeros(2, 64, 64, dtype=torch.long)
    roi[0, :, ::16], roi[1, :, ::16] = 1, 20
    for faithful, tag in ((True, 20), (False, 0)):
        _, tags = ImageDecomposition(4, 32, faithful=faithful)(roi)
        assert tags[0].tolist() == [1, 1, 0, 0, 0, 0]
        assert tags[1].tolist() == [20, 20, *[tag] * 4]


def test_tag_without_a_confident_class():
    roi = torch.full((1, 32, 32), -1)
    for faithful, tag in ((True, 1), (False, -1)):
        _, tags = ImageDecomposition(2, 16, faithful=faithful)(roi)
        assert tags.tolist() == [[tag, tag, -1, -1]]


def test_sole_class():
    labels = torch.tensor([[[0, 0]], [[0, 4]], [[4, 4]], [[3, 4]]])
    assert sole_class(labels).tolist() == [0, 4, 4, -1]


def test_crop_is_a_slice():
    images = torch.rand(2, 3, 9, 12)
    corners = torch.tensor([[[0, 0], [5, 8]], [[2, 3], [4, 1]]])
    pieces = crop(images, corners, 4)
    assert pieces.shape == (2, 2, 3, 4, 4)
    for image, places, row in zip(images, corners.tolist(), pieces):
        for (top, left), piece in zip(places, row):
            assert torch.equal(piece, image[:, top:top + 4, left:left + 4])
    assert torch.equal(crop(images[:, 0], corners, 4), pieces[:, :, 0])
