# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch

from mmktse.models.losses import AffinityLoss

NAMES = {'aff_pos': 'L_pos', 'aff_neg': 'L_neg', 'dp_fg': 'L_dp_fg'}
NAMES['dp_bg'] = 'L_dp_bg'


@pytest.mark.parity
def test_golden(parity, assert_near):
    data = parity('irn')
    edge = data['loss_edge'].requires_grad_()
    displacement = data['loss_disp'].requires_grad_()
    losses = AffinityLoss()(edge, displacement, data['loss_label'])
    for name, golden in NAMES.items():
        assert_near(2 * losses[f'loss_{name}'], data[f'loss_{golden}'], 1e-5)
    total = sum(losses.values())
    assert_near(total, data['loss_L_total'], 1e-5)
    total.backward()
    assert_near(edge.grad, data['loss_grad_edge'], 2e-5)
    assert_near(displacement.grad, data['loss_grad_disp'], 2e-5)


@pytest.mark.parity
def test_golden_pairs(parity, assert_near):
    data = parity('irn')
    loss = AffinityLoss()
    for name, mask in loss.pairs(data['loss_label']).items():
        assert torch.equal(mask, data[f'loss_{name}'])
    for name, error in loss.affinity_errors(data['loss_edge']).items():
        assert_near(error[:1, :40], data[f'loss_{name}_map'], 1e-5)


def _inputs(label, requires_grad=False):
    torch.manual_seed(0)
    return (torch.randn(1, 1, 8, 16, requires_grad=requires_grad),
            torch.randn(1, 2, 8, 16, requires_grad=requires_grad),
            torch.full((1, 8, 16), label))


def test_ignored_pixels_teach_nothing():
    edge, displacement, labels = _inputs(255, True)
    losses = AffinityLoss(radius=4)(edge, displacement, labels)
    sum(losses.values()).backward()
    assert all(loss == 0 for loss in losses.values())
    assert (edge.grad == 0).all() and (displacement.grad == 0).all()


def test_terms_by_kind_of_pixel():
    edge, displacement, labels = _inputs(0)
    background = AffinityLoss(radius=4)(edge, displacement, labels)
    assert background['loss_dp_fg'] == background['loss_aff_neg'] == 0
    foreground = AffinityLoss(radius=4)(edge, displacement, labels + 3)
    assert foreground['loss_dp_bg'] == 0
    torch.testing.assert_close(foreground['loss_aff_pos'],
                               background['loss_aff_pos'])


def test_perfect_maps_cost_nothing():
    labels = torch.zeros(1, 8, 16, dtype=torch.long)
    labels[..., 8:] = 2
    edge = torch.full((1, 1, 8, 16), -20.)
    edge[..., 8] = 20
    rows, columns = torch.meshgrid(
        torch.arange(8.), torch.arange(16.), indexing='ij')
    # All of the object points to one place; the background to nowhere.
    displacement = torch.stack((3 - rows, 12 - columns))[None]
    displacement = displacement * (labels > 0)[:, None]
    losses = AffinityLoss(radius=2)(edge, displacement, labels)
    assert losses['loss_dp_fg'] < 1e-5 and losses['loss_dp_bg'] < 1e-5
    assert losses['loss_aff_neg'] < 1e-4


def test_weights():
    inputs = _inputs(1)
    one = AffinityLoss(radius=4)(*inputs)
    other = AffinityLoss(
        4, affinity_weight=2., displacement_weight=0.)(*inputs)
    assert other['loss_aff_pos'] == 2 * one['loss_aff_pos']
    assert other['loss_dp_fg'] == 0
