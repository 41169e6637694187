# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
import torch.nn.functional as F

from projects.seco.seco import LILLoss

CASES = [
    'mixed', 'far', 'init', 'noise', 'all_multi', 'nonneg', 'dup', 'background'
]


def inputs(data, case):
    tags = data[f'{case}_tags'].long()
    bank = torch.cat((data[f'{case}_k'], data[f'{case}_queue']))
    bank_tags = torch.cat((tags, data[f'{case}_queue_tags'].long()))
    return data[f'{case}_q'].requires_grad_(), bank, tags, bank_tags


@pytest.mark.parity
@pytest.mark.parametrize('case', CASES)
def test_golden(seco_parity, case):
    data = seco_parity('c05_lil')
    queries, bank, tags, bank_tags = inputs(data, case)
    before = tags.clone()
    loss, revised = LILLoss(float(data['temperature']))(queries, bank, tags,
                                                        bank_tags)
    loss.backward()
    torch.testing.assert_close(
        loss, data[f'{case}_loss'][0], rtol=0, atol=1e-6)
    want = data[f'{case}_grad_q']
    torch.testing.assert_close(
        queries.grad, want, rtol=0, atol=1e-5 * want.abs().max())
    assert torch.equal(revised, data[f'{case}_tags_revised'].long())
    assert torch.equal(tags, before)


def drawn(seed, num_classes=3):
    """Clustered queries and keys, some of them current, with tags from -1."""
    torch.manual_seed(seed)
    centres = torch.randn(num_classes + 2, 8)
    tags = torch.randint(-1, num_classes + 1, (10, ))
    bank_tags = torch.cat((tags, torch.randint(-1, num_classes + 1, (60, ))))
    queries, bank = (
        F.normalize(centres[t] + torch.randn(len(t), 8), dim=1)
        for t in (tags, bank_tags))
    return queries.requires_grad_(), bank, tags, bank_tags


def published_row_by_row(queries, bank, tags, bank_tags, temperature=0.08):
    """The published loss as its loop over rows has it."""
    tags = tags.clone()
    logits, attracted = [], []
    for i, query in enumerate(queries):
        row = bank @ query / temperature
        row = row - row.max().detach()
        if tags[i] == -1:
            row = row * 0
        own = row * ((bank_tags == tags[i]) & (tags[i] != -1))
        below = (own < own.mean()).sum()
        if below / (len(own) - below + 1e-6) > 10:
            tags[i] = 0
            own = own * 0
        logits.append(row)
        attracted.append(own)
    total = sum(int((own != 0).sum()) for own in attracted)
    loss = queries.new_zeros(())
    for row, own in zip(logits, attracted):
        similarity = row.masked_fill(bank_tags == -1, 0).exp()
        z = similarity[similarity != 1].sum()
        if not total or z == 0:
            continue
        r = own.sum() - len(row) * (z + 1e-12).log()
        if r < 0:
            loss = loss - r / total
    return loss / len(queries), tags


def supervised_row_by_row(queries, bank, tags, bank_tags, temperature=0.08):
    """The supervised contrastive loss."""
    rows = []
    keys, key_tags = bank[bank_tags != -1], bank_tags[bank_tags != -1]
    for query, tag in zip(queries, tags):
        own = (key_tags == tag).nonzero()[:, 0]
        if tag == -1 or not len(own):
            continue
        logits = (keys @ query / temperature)[None].expand(len(own), -1)
        rows.append(F.cross_entropy(logits, own))
    return sum(rows) / max(len(rows), 1), tags


@pytest.mark.parametrize('seed', range(6))
@pytest.mark.parametrize('faithful', [True, False])
def test_same_as_row_by_row(seed, faithful):
    args = drawn(seed)
    slow = published_row_by_row if faithful else supervised_row_by_row
    want, want_tags = slow(*args)
    want_grad, = torch.autograd.grad(want, args[0])
    loss, tags = LILLoss(faithful=faithful)(*args)
    grad, = torch.autograd.grad(loss, args[0])
    assert loss > 0 and torch.equal(tags, want_tags)
    torch.testing.assert_close(loss, want, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(grad, want_grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('faithful', [True, False])
@pytest.mark.parametrize('which', ['tags', 'bank_tags'])
def test_without_tags_it_is_zero_with_finite_gradients(faithful, which):
    queries, bank, tags, bank_tags = drawn(0)
    tags = tags if which == 'bank_tags' else tags * 0 - 1
    bank_tags = bank_tags if which == 'tags' else bank_tags * 0 - 1
    loss, _ = LILLoss(faithful=faithful)(queries, bank, tags, bank_tags)
    loss.backward()
    assert loss == 0 and not queries.grad.any()
