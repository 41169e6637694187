# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
from torch.nn.functional import multilabel_soft_margin_loss

from projects.seco.seco import GMPHead


@pytest.mark.parity
@pytest.mark.parametrize('name', ['main', 'aux'])
def test_golden_loss(seco_parity, name):
    data = seco_parity('c07_seg_cls')
    logits = data[f'cls_{name}_logits']
    # Identity: the logits are the maxima of the feature map.
    head = GMPHead(20, 20, 0)
    torch.nn.init.eye_(head.classifier.weight.data.view(20, 20))
    low = logits[..., None, None] - torch.tensor([[1., 0.], [2., 3.]])
    low.requires_grad_()
    loss = head.loss([low], data[f'cls_{name}_target'])
    torch.testing.assert_close(
        loss, data[f'cls_{name}_loss'], rtol=0, atol=2e-6)
    loss.backward()
    want = data[f'cls_{name}_grad']
    grad = low.grad[..., 0, 1]
    assert (grad - want).abs().max() <= 1e-5 * want.abs().max()


def test_pooling_comes_before_the_classifier():
    head = GMPHead(1, 2, 0)
    head.classifier.weight.data[:] = torch.tensor([1., 1.])[:, None, None]
    # Each channel has its peak at another place.
    feats = [torch.tensor([[[[3., 0.]], [[0., 5.]]]])]
    assert head(feats).flatten().tolist() == [3, 5]
    logits = head.logits(feats)
    assert logits.tolist() == [[8]]
    targets = torch.ones(1, 1)
    assert torch.equal(
        head.loss(feats, targets),
        multilabel_soft_margin_loss(logits, targets))
