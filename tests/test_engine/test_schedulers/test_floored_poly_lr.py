# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch

from mmktse.registry import PARAM_SCHEDULERS


def rates(steps, **kwargs):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=.01)
    scheduler = PARAM_SCHEDULERS.build(
        dict(type='FlooredPolyLR', power=.9, floor=1e-5, **kwargs),
        default_args=dict(optimizer=optimizer, epoch_length=10))
    found = {}
    for step in range(max(steps) + 1):
        found[step] = optimizer.param_groups[0]['lr']
        optimizer.step()
        scheduler.step()
    return [found[step] for step in steps]


@pytest.mark.parity
def test_golden(parity):
    data = parity('beco')
    got = rates(
        data['lr_iters'].tolist(),
        by_epoch=False,
        end=int(data['lr_max_iters']))
    torch.testing.assert_close(
        torch.tensor(got, dtype=torch.float64), data['lr'], rtol=0, atol=1e-12)


def test_epochs_become_iterations():
    want = rates([0, 7, 49], by_epoch=False, end=50)
    got = rates([0, 7, 49], by_epoch=True, end=5, convert_to_iter_based=True)
    assert got == want
