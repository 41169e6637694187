# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmktse.models import DeepLabV2Head
from mmktse.models.losses import BalancedSegLoss


def test_sides_count_the_same_however_large():
    logits = torch.randn(2, 3, 4, 5)
    label = torch.zeros(2, 4, 5, dtype=torch.long)
    label[0, 0, 0], label[1, 0, :2], label[1, 3] = 1, 2, 255
    error = F.cross_entropy(logits, label, ignore_index=255, reduction='none')
    fg = (label > 0) & (label < 255)
    want = (error[label == 0].mean() + error[fg].mean()) / 2
    torch.testing.assert_close(BalancedSegLoss()(logits, label), want)
    torch.testing.assert_close(
        BalancedSegLoss(eps=1e-6, loss_weight=3.)(logits, label), 3 * want)
    # Only the one foreground pixel of the first image is left.
    only = BalancedSegLoss()(logits, label, weight=(label == 1).float())
    torch.testing.assert_close(only, error[0, 0, 0] / 6)


@pytest.mark.parametrize('eps', [0., 1e-6])
@pytest.mark.parametrize('fill', [0, 1, 255])
def test_empty_sides_give_zero_with_finite_gradients(eps, fill):
    logits = torch.randn(2, 3, 4, 5, requires_grad=True)
    label = torch.full((2, 4, 5), fill)
    loss = BalancedSegLoss(eps=eps)(logits, label)
    loss.backward()
    assert logits.grad.isfinite().all()
    if fill == 255:
        assert loss == 0 and not logits.grad.any()
    else:
        torch.testing.assert_close(loss, F.cross_entropy(logits, label) / 2)


def test_as_loss_of_a_head():
    head = DeepLabV2Head(
        4,
        num_classes=3,
        ignore_index=9,
        align_corners=False,
        loss_decode=dict(type='mmktse.BalancedSegLoss', eps=1e-6))
    label = torch.randint(3, (1, 6, 6))
    label[0, 0] = 9
    sample = SegDataSample(gt_sem_seg=PixelData(data=label))
    logits = torch.randn(1, 3, 6, 6)
    losses = head.loss_by_feat(logits, [sample])
    want = BalancedSegLoss()(logits, label, ignore_index=9)
    torch.testing.assert_close(losses['loss_seg'], want)
