# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
import torch.nn.functional as F

from projects.seco.seco import LIGLoss, LILLoss

CASES = ['mixed', 'subset', 'one_class', 'no_class', 'raw_proto', 'exact_zero']


@pytest.mark.parity
@pytest.mark.parametrize('case', CASES)
def test_golden(seco_parity, case):
    data = seco_parity('c05_lig')
    queries = data[f'{case}_q'].requires_grad_()
    loss = LIGLoss(float(data['temperature']))(queries,
                                               data[f'{case}_prototypes'],
                                               data[f'{case}_tags'].long())
    loss.backward()
    torch.testing.assert_close(
        loss, data[f'{case}_loss'][0], rtol=0, atol=5e-6)
    want = data[f'{case}_grad_q']
    atol = 1e-5 if case == 'one_class' else 1e-5 * want.abs().max()
    torch.testing.assert_close(queries.grad, want, rtol=0, atol=atol)


@pytest.mark.parity
def test_golden_after_the_local_teacher(seco_parity, assert_near):
    data = seco_parity('c05_lig')
    queries = data['chain_q'].requires_grad_()
    tags = data['chain_tags'].long()
    local, revised = LILLoss()(queries, data['chain_bank'], tags,
                               torch.cat(
                                   (tags, data['chain_queue_tags'].long())))
    loss = LIGLoss()(queries, data['chain_prototypes'], revised)
    (local + loss).backward()
    assert torch.equal(revised, data['chain_tags_revised'].long())
    assert_near(local, data['chain_lil'], 1e-5)
    assert_near(loss, data['chain_lig'], 1e-5)
    assert_near(queries.grad, data['chain_grad_q_sum'], 1e-5)


def test_only_classes_of_the_batch_compete():
    queries = F.normalize(torch.randn(4, 8), dim=1)
    prototypes = F.normalize(torch.randn(5, 8), dim=1)
    loss = LIGLoss(.2)(queries, prototypes, torch.tensor([5, -1, 0, 2]))
    logits = queries[[0, 3]] @ prototypes[[1, 4]].T / .2
    want = F.cross_entropy(logits, torch.tensor([1, 0]))
    torch.testing.assert_close(loss, want)


def test_long_prototypes_do_not_overflow():
    prototypes = 30 * F.normalize(torch.randn(3, 8), dim=1)
    queries = F.normalize(prototypes, dim=1).requires_grad_()
    loss = LIGLoss()(queries, prototypes, torch.tensor([1, 2, 3]))
    loss.backward()
    assert loss.isfinite() and queries.grad.isfinite().all()
