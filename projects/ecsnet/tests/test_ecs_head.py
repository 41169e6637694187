# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
import torch.nn.functional as F

from mmktse.registry import MODELS
from projects.ecsnet.ecsnet import SegFromCAMHead


def test_branch_beside_the_classifier():
    head = MODELS.build(
        dict(
            type='ECSHead',
            num_classes=3,
            in_channels=8,
            seg_channels=6,
            dilation=2))
    head.init_weights()
    feats = torch.randn(2, 8, 9, 7)
    maps = head((feats, ))
    assert maps.shape == (2, 7, 9, 7)
    assert torch.equal(head.scores(maps), head.classifier(feats))
    assert torch.equal(head((feats, ), seg=False), head.scores(maps))
    seg = head.seg_logits(maps)
    assert seg.shape == (2, 4, 9, 7)
    torch.testing.assert_close(
        seg, head.seg_classifier(head.seg_conv(feats).relu()))
    # Two cells away, not one, is what a place sees.
    feats.requires_grad_()
    head.seg_conv(feats)[0, 0, 4, 3].backward()
    seen = feats.grad[0].abs().sum(0) > 0
    assert seen.nonzero().tolist() == [[y, x] for y in (2, 4, 6)
                                       for x in (1, 3, 5)]


def test_segmentation_of_the_cam_by_hand():
    head = SegFromCAMHead(num_classes=2, in_channels=4, alpha=2.)
    # Normalised 0, 1/2, 1; the other class is absent.
    maps = torch.tensor([[[[0., 2., 4.]], [[9., 0., 0.]]]])
    logits = head.seg_logits(maps, torch.tensor([[1., 0.]]))
    shares = logits.softmax(1)[0, :, 0].T
    wanted = torch.tensor([[1.01, .01, 0], [.26, .51, 0], [.01, 1.01, 0]])
    wanted = wanted / wanted.sum(1, keepdim=True)
    torch.testing.assert_close(shares, wanted, atol=1e-3, rtol=0)
    # A negative score is taken off the logit.
    lower = head.seg_logits(maps - torch.tensor([2., 0, 0]),
                            torch.tensor([[1., 0.]]))
    drop = torch.zeros_like(logits)
    drop[0, 1, 0, 0] = 2
    torch.testing.assert_close(lower[:, :2], (logits - drop)[:, :2])


def test_tiny_and_zero_cells_can_be_taught_their_class():
    head = SegFromCAMHead(num_classes=1, in_channels=4)
    maps = torch.tensor([[[[0., -1., 4e-4, 4.]]]], requires_grad=True)
    logits = head.seg_logits(maps, torch.ones(1, 1))
    labels = torch.tensor([[[1, 1, 1, 255]]])
    F.cross_entropy(
        logits, labels, ignore_index=255, reduction='sum').backward()
    zero, negative, tiny, _ = maps.grad.flatten().tolist()
    # At most 1 / 0.01 over the peak of 4, and the background's part.
    assert -27 < tiny < -20
    assert -1 < zero < -.9 and -1 < negative < -.9


@pytest.mark.parametrize('value', [0., 3., -1.])
def test_constant_cam_is_background_with_finite_gradient(value):
    head = SegFromCAMHead(num_classes=2, in_channels=4)
    maps = torch.full((1, 2, 3, 3), value, requires_grad=True)
    logits = head.seg_logits(maps, torch.ones(1, 2))
    logits.softmax(1)[:, 1].sum().backward()
    assert (logits.argmax(1) == 0).all() and maps.grad.isfinite().all()
