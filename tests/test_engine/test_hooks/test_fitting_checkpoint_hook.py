# Copyright (c) mmktse authors. All rights reserved.
from types import SimpleNamespace

import pytest
import torch
from mmengine.model import BaseTTAModel

from mmktse.engine.hooks import FittingCheckpointHook
from mmktse.engine.hooks.fitting_checkpoint_hook import fitting_state


class Averaged(BaseTTAModel):

    def merge_preds(self, data_samples_list):
        return data_samples_list


def check(state, model=None, **kwargs):
    model = model or torch.nn.Linear(2, 3)
    FittingCheckpointHook(**kwargs).after_load_checkpoint(
        SimpleNamespace(model=model), state)


def state(**changes):
    return dict(torch.nn.Linear(2, 3).state_dict(), **changes)


def test_fitting_checkpoints_pass():
    check(state())
    check(dict(state_dict=state(), meta=dict()))
    check({f'module.{name}': x for name, x in state().items()})
    check(state(further=torch.zeros(1)))
    net = torch.nn.Linear(2, 3)
    net.test_step = net.data_preprocessor = None
    check(state(), Averaged(net))


def test_state_loads_into_the_network():
    net = torch.nn.Linear(2, 3)
    stored = {f'module.{name}': x for name, x in state().items()}
    net.load_state_dict(fitting_state(net, dict(state_dict=stored)))
    assert torch.equal(net.weight, stored['module.weight'])


@pytest.mark.parametrize(
    'wrong', [dict(bias=torch.zeros(3)),
              state(weight=torch.zeros(3, 4))])
def test_missing_or_other_parameter_is_refused(wrong):
    with pytest.raises(ValueError, match='1 of 2 tensors .* "weight"; give'):
        check(wrong)


def test_new_parts_need_not_be_there():
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1))
    old = {f'0.{name}': x for name, x in state().items()}
    with pytest.raises(ValueError, match='2 of 4 tensors .* "1.weight"'):
        check(old, net)
    check(old, net, new=['1.'])
    with pytest.raises(ValueError, match='2 of 4 tensors .* "0.weight"'):
        check({}, net, new=['1.'])
    # Where they are there they are loaded, and have to fit.
    with pytest.raises(ValueError, match='1 of 4 tensors .* "1.weight"'):
        check({**old, '1.weight': torch.zeros(9)}, net, new=['1.'])


def test_released_checkpoint_names_the_converter():
    with pytest.raises(ValueError, match='convert_weights.py ktse_resnet38d'):
        check({'module.conv1a.weight': torch.zeros(1)})
