# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
from mmengine.model import ExponentialMovingAverage
from torch import nn


def module(data, name):
    net = nn.Module()
    for part in 'ab':
        net.register_parameter(
            part, nn.Parameter(data[f'ema_{name}_{part}_before'].clone()))
    return net


@pytest.mark.parity
@pytest.mark.parametrize('student, teacher', [('encoder', 'encoder_k'),
                                              ('proj_head', 'proj_head_t')])
def test_golden_teachers(seco_parity, student, teacher):
    """The stock average is the published one, once it has begun.

    Its first update copies the student, of which the teacher is a copy then.
    """
    data = seco_parity('c08_ema_lr_optim')
    student = module(data, student)
    average = ExponentialMovingAverage(
        module(data, teacher), 1 - float(data['ema_momentum']))
    average.steps += 1
    for update in '12':
        average.update_parameters(student)
        for part in 'ab':
            torch.testing.assert_close(
                getattr(average.module, part),
                data[f'ema_{teacher}_{part}_after{update}'],
                rtol=0,
                atol=5e-7)
