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


def check(state, model=None):
    model = model or torch.nn.Linear(2, 3)
    FittingCheckpointHook().after_load_checkpoint(
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


def test_released_checkpoint_names_the_converter():
    with pytest.raises(ValueError, match='convert_weights.py ktse_resnet38d'):
        check({'module.conv1a.weight': torch.zeros(1)})
