# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
from mmengine.registry import PARAM_SCHEDULERS
from torch import nn
from torch.optim import AdamW


def make(params, end):
    """An optimizer with a rate for each parameter, and the schedule."""
    optimizer = AdamW([
        dict(params=[param], lr=lr)
        for param, lr in zip(params, (6e-5, 6e-5, 6e-4, 6e-4))
    ],
                      weight_decay=.01)
    scheduler = PARAM_SCHEDULERS.build(
        dict(type='mmktse.WarmupPolyLR', end=end, by_epoch=False),
        default_args=dict(optimizer=optimizer))
    return optimizer, scheduler


@pytest.mark.parity
@pytest.mark.parametrize('data_set, end', [('voc', 20000), ('coco', 80000)])
def test_golden_rates(seco_parity, data_set, end):
    data = seco_parity('c08_ema_lr_optim')
    wanted = dict(
        zip(data[f'lr_{data_set}_iters'].tolist(), data[f'lr_{data_set}']))
    assert {0, 1, 1499, 1500, end - 1} <= set(wanted)
    optimizer, scheduler = make(
        [nn.Parameter(torch.ones(1)) for _ in range(4)], end)
    for step in range(end):
        if step in wanted:
            got = [group['lr'] for group in optimizer.param_groups]
            torch.testing.assert_close(
                torch.tensor(got, dtype=torch.float64),
                wanted[step],
                rtol=1e-12,
                atol=0)
        optimizer._global_step = step
        scheduler.step()


@pytest.mark.parity
def test_golden_steps(seco_parity):
    """Rates and decay of the optimizer across the end of the warm-up."""
    data = seco_parity('c08_ema_lr_optim')
    params = [nn.Parameter(row.clone()) for row in data['step_param_before']]
    optimizer, scheduler = make(params, 20000)
    for _ in range(int(data['step_first_iter'])):
        optimizer._global_step += 1
        scheduler.step()
    for grads, after in zip(data['step_grads'], data['step_param_after']):
        for param, grad in zip(params, grads):
            param.grad = grad.clone()
        optimizer.step()
        scheduler.step()
        error = (torch.stack(list(params)) - after).abs().max()
        assert error <= 5e-7 * after.abs().max()
