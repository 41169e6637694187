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


MASK = torch.tensor([True, False, False, True, False, False, True])


def _rank(rank, port, path, ranks):
    os.environ.update(
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=str(port),
        RANK=str(rank),
        WORLD_SIZE=str(ranks))
    dist.init_process_group('gloo')
    values = torch.arange(7.)[rank::ranks].requires_grad_()
    mean = masked_mean(values, MASK[rank::ranks])
    mean.backward()
    torch.save((mean.detach(), values.grad), f'{path}/{rank}.pth')
    dist.barrier()
    dist.destroy_process_group()


@pytest.mark.parametrize('ranks', [2, 3])
def test_ranks_average_to_the_joint_mean(tmp_path, ranks):
    # With three, all marked values lie on rank 0.
    port = 20000 + (os.getpid() + ranks) % 20000
    mp.spawn(_rank, args=(port, str(tmp_path), ranks), nprocs=ranks)
    means, grads = zip(
        *(torch.load(tmp_path / f'{rank}.pth', weights_only=True)
          for rank in range(ranks)))
    # DistributedDataParallel averages gradients.
    torch.testing.assert_close(sum(means) / ranks, torch.tensor(3.))
    for rank, grad in enumerate(grads):
        torch.testing.assert_close(grad / ranks, MASK[rank::ranks] / 3)
