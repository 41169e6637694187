# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch

from projects.seco.seco import PTCLoss, token_label

CASES = ['mixed', 'one_ignored', 'all_ignored', 'all_background', 'box']


@pytest.mark.parity
@pytest.mark.parametrize('case', CASES)
def test_golden(seco_parity, case):
    data = seco_parity('c06_ptc')
    labels = data[f'{case}_label']
    same, different = PTCLoss.pairs(labels)
    assert torch.equal(same, data[f'{case}_aff'] == 1)
    assert torch.equal(different, data[f'{case}_aff'] == 0)
    feats = data[f'{case}_feat'].requires_grad_()
    loss = PTCLoss()(feats, labels)
    loss.backward()
    torch.testing.assert_close(loss, data[f'{case}_loss'], rtol=0, atol=1e-6)
    want = data[f'{case}_grad']
    torch.testing.assert_close(
        feats.grad, want, rtol=0, atol=1e-5 * want.abs().max())


@pytest.mark.parity
def test_golden_labels_of_tokens(seco_parity):
    data = seco_parity('c06_ptc')
    labels = token_label(data['box_cam_aux_f16'].float(),
                         data['box_cls_label'], data['box_img_box'], (.7, .25),
                         (4, 4))
    assert torch.equal(labels, data['box_label'].long())


def test_tokens_of_two_labels_part_and_of_one_meet():
    feats = torch.randn(1, 8, 2, 3, requires_grad=True)
    labels = torch.tensor([[[0, 0, 1], [1, 255, 255]]])
    optimizer = torch.optim.Adam([feats], lr=.05)
    for _ in range(100):
        optimizer.zero_grad()
        loss = PTCLoss()(feats, labels)
        loss.backward()
        optimizer.step()
    # The number of pairs is one too high: 1/2 (1 - 4/5) is left.
    assert loss.item() == pytest.approx(.1, abs=.01)
