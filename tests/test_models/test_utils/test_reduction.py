# Copyright (c) mmktse authors. All rights reserved.
import os

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from mmktse.models.utils import masked_mean


def test_mean_and_gradient():
    values = torch.tensor([1., 2., 3., float('inf')], requires_grad=True)
    mask = torch.tensor([True, False, True, False])
    mean = masked_mean(values, mask)
    mean.backward()
    assert mean == 2
    assert values.grad.tolist() == [0.5, 0, 0.5, 0]


@pytest.mark.parametrize('eps', [0., 1e-5])
def test_empty_is_zero_with_finite_gradient(eps):
    values = torch.randn(5, requires_grad=True)
    mean = masked_mean(values, torch.zeros(5, dtype=torch.bool), eps)
    mean.backward()
    assert mean == 0 and not values.grad.any()


def _rank(rank, port, path):
    os.environ.update(
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=str(port),
        RANK=str(rank),
        WORLD_SIZE='2')
    dist.init_process_group('gloo')
    values = torch.arange(6.)[rank::2].requires_grad_()
    mask = torch.tensor([True, False, True, False, False, False])[rank::2]
    mean = masked_mean(values, mask)
    mean.backward()
    torch.save((mean.detach(), values.grad), f'{path}/{rank}.pth')
    dist.barrier()
    dist.destroy_process_group()


def test_two_ranks_average_to_the_joint_mean(tmp_path):
    # All marked values lie on rank 0.
    port = 20000 + os.getpid() % 20000
    mp.spawn(_rank, args=(port, str(tmp_path)), nprocs=2)
    (a, grad_a), (b, grad_b) = (
        torch.load(tmp_path / f'{r}.pth', weights_only=True) for r in (0, 1))
    assert (a + b) / 2 == 1.
    assert (grad_a / 2).tolist() == [0.5, 0.5, 0] and not grad_b.any()
