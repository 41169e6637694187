# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch

from mmktse.models.utils import (erasing_norm, foreground_cam, label_norm,
                                 merge_pairs, merge_views)


@pytest.mark.parity
def test_golden_norms(parity, assert_near):
    data = parity('cam_norms')
    assert_near(erasing_norm(data['S']), data['A'], 1e-5)
    assert_near(label_norm(data['S']), data['B'], 1e-5)


@pytest.mark.parity
def test_golden_merge(parity, assert_near):
    data = parity('cam_norms')
    classes = data['C_classes'].long()
    views = [data[f'C_S{i}'][classes] for i in range(8)]
    views = [
        torch.stack((plain, flipped.flip(-1)))
        for plain, flipped in zip(views[::2], views[1::2])
    ]
    got = merge_views(views, data['C_size'].tolist())
    assert_near(got, data['C_cam'], 1e-5)


@pytest.mark.parity
def test_golden_merge_of_pairs(parity, assert_near):
    data = parity('cam_norms')
    classes = data['D_classes'].long()
    views = [data[f'D_S{i}'][:, classes] for i in range(4)]
    views = [torch.stack((plain, mirror.flip(-1))) for plain, mirror in views]
    want = data['D_high_res']
    assert_near(merge_pairs(views, want.shape[1:]), want, 1e-5)


@pytest.mark.parity
def test_golden_foreground(parity, assert_near):
    data = parity('sie_mga')
    scores, targets = data['F1'][:, 1:], data['y1'].float()
    full = foreground_cam(scores, targets, data['x1_u8'].shape[1:3])
    low = foreground_cam(scores, targets, scores.shape[2:])
    assert_near(full, data['cam_fg'].view_as(full), 1e-5)
    assert_near(low, data['cam_fg_low'].view_as(low), 1e-5)
    assert torch.equal(full < 0.6, data['keep'].view_as(full))
    assert torch.equal(low < 0.6, data['keep_low'].view_as(low))


def test_merge_of_a_negative_class_is_zero():
    views = [torch.stack((torch.ones(4, 4), -torch.ones(4, 4)))[None]]
    cam = merge_views(views, (8, 8))
    assert cam.shape == (2, 8, 8)
    assert cam[0].min() > 0.99 and not cam[1].any()
