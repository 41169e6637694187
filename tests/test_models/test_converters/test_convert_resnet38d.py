# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest
import torch

from mmktse.models.converters import (convert_ktse_resnet38d,
                                      convert_mxnet_resnet38d)
from mmktse.registry import MODELS


@pytest.fixture
def golden(parity):
    return parity('mxnet_names')


@pytest.fixture
def arrays(golden):
    """One number for each name of the ImageNet file, all different."""
    return {
        str(name): np.float16([number])
        for number, name in enumerate(golden['source'])
    }


@pytest.fixture
def released(parity):
    """One number for each name of the released checkpoint."""
    state = {}
    for number, entry in enumerate(parity('resnet38d')['state_names']):
        name, _, kind = entry.split('|')
        state[str(name)] = torch.tensor([number], dtype=getattr(torch, kind))
    assert len(state) == 241
    return state


@pytest.fixture(scope='module')
def our_names():
    """Names of the model, from its code; without the memory it takes."""
    with torch.device('meta'):
        model = MODELS.build(
            dict(
                type='KTSE',
                backbone=dict(type='ResNet38d', init_cfg=None),
                head=dict(
                    type='GPPHead',
                    num_classes=20,
                    in_channels=4096,
                    init_cfg=None)))
    return set(model.state_dict())


@pytest.mark.parity
def test_mxnet_names(golden, arrays):
    # Neither the order of the file nor its classifier must matter.
    for name in golden['dropped']:
        arrays[str(name)] = np.float32([-1])
    state = convert_mxnet_resnet38d(dict(sorted(arrays.items())))
    assert state == {
        name: torch.tensor([float(number)])
        for number, name in enumerate(golden['target'])
    }
    assert all(x.dtype == torch.float32 for x in state.values())


@pytest.mark.parity
def test_mxnet_names_fill_the_backbone(arrays, our_names):
    state = convert_mxnet_resnet38d(arrays)
    backbone = {
        name.removeprefix('backbone.')
        for name in our_names if name.startswith('backbone.')
    }
    rest = backbone - set(state)
    assert set(state) <= backbone
    assert all(name.endswith('num_batches_tracked') for name in rest)


@pytest.mark.parity
def test_incomplete_mxnet_weights_are_refused(arrays):
    for name in list(arrays):
        rest = {key: x for key, x in arrays.items() if key != name}
        with pytest.raises(
                ValueError, match=f'1 param.*the first is "{name}"'):
            convert_mxnet_resnet38d(rest)


@pytest.mark.parity
@pytest.mark.parametrize('prefix', ['', 'module.'])
def test_released_checkpoint(released, our_names, prefix):
    state = convert_ktse_resnet38d({
        prefix + name: x
        for name, x in released.items()
    })
    assert set(state) == our_names
    gates = dict(att_p='positive', att_n='negative')
    for name, x in released.items():
        if name.startswith('bn8'):
            continue
        if name.startswith('gconv'):
            gate, part = name.split('.')[:2]
            new = f'head.gates.{int(gate[5:]) - 1}.{gates[part]}.weight'
        else:
            new = ('head.' if name.startswith('fc') else 'backbone.') + name
        assert torch.equal(state[new], x) and state[new].dtype == x.dtype


@pytest.mark.parity
def test_incomplete_checkpoint_is_refused(released):
    for name in list(released):
        rest = {key: x for key, x in released.items() if key != name}
        with pytest.raises(
                ValueError, match=f'1 param.*the first is "{name}"'):
            convert_ktse_resnet38d(rest)


@pytest.mark.parity
def test_checkpoint_with_more_is_refused(released):
    released['fc10.weight'] = torch.zeros(1)
    with pytest.raises(ValueError, match='"fc10.weight".*cannot be'):
        convert_ktse_resnet38d(released)
