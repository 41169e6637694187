# Copyright (c) mmktse authors. All rights reserved.
import zlib

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmktse.models.converters import convert_ktse_resnet38d
from mmktse.registry import MODELS

CONFIG = dict(
    type='KTSE',
    backbone=dict(type='ResNet38d', init_cfg=None),
    head=dict(type='GPPHead', num_classes=20, in_channels=4096, init_cfg=None))


def hash_uniform(name, count):
    """Numbers in [-1, 1) that depend on the name and the place alone."""
    with np.errstate(over='ignore'):
        h = np.arange(count, dtype=np.uint32) * np.uint32(2654435761)
        h += np.uint32(zlib.crc32(name.encode()))
        h ^= h >> np.uint32(16)
        h *= np.uint32(0x85EBCA6B)
        h ^= h >> np.uint32(13)
        h *= np.uint32(0xC2B2AE35)
        h ^= h >> np.uint32(16)
    return h.astype(np.float64) / 2**31 - 1


def formula(name, shape):
    """Weights of the golden file: a function of name and shape."""
    u = hash_uniform(name, int(np.prod(shape)))
    if name.endswith('running_var'):
        u = 1 + 0.1 * np.abs(u)
    elif name.endswith('running_mean'):
        u = 0.1 * u
    elif len(shape) == 4:
        u = u * np.sqrt(3 / np.prod(shape[1:]))
    elif name.endswith('weight'):
        u = 1 + 0.1 * u
    else:
        u = 0.1 * u
    return torch.from_numpy(u.astype(np.float32).reshape(shape))


@pytest.fixture(scope='module')
def golden(parity):
    return parity('resnet38d')


@pytest.fixture(scope='module')
def published(golden):
    """State dict under the published names, filled by the formula."""
    state = {}
    for entry in golden['state_names']:
        name, shape, kind = entry.split('|')
        shape = tuple(int(s) for s in shape.split(',') if s)
        state[name] = (
            formula(name, shape) if kind == 'float32' else torch.zeros(
                shape, dtype=torch.int64))
    return state


@pytest.fixture(scope='module')
def model(published):
    """KTSE on ResNet38d with the released names, loaded strictly."""
    model = MODELS.build(CONFIG)
    model.load_state_dict(convert_ktse_resnet38d(published))
    return model.eval()


def our_name(published_name):
    """Our name of a published parameter."""
    head = {'att_p.0': 'positive', 'att_n.0': 'negative'}
    if published_name.startswith('gconv'):
        gate, part, index, kind = published_name.split('.')
        return (f'head.gates.{int(gate[5:]) - 1}.{head[f"{part}.{index}"]}.'
                f'{kind}')
    place = 'head' if published_name.startswith('fc') else 'backbone'
    return f'{place}.{published_name}'


@pytest.mark.parity
def test_filling(golden, published):
    for name, values, total in zip(golden['probe_names'],
                                   golden['probe_values'],
                                   golden['probe_sums']):
        assert torch.equal(published[name].flatten()[:8], values)
        assert published[name].double().sum() == pytest.approx(float(total))


@pytest.mark.parity
def test_parameter_count(model):
    """The published count; 512 of them belong to a module never called."""
    count = sum(p.numel() for p in model.parameters())
    assert count + 512 == 106_129_696
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert trainable == 105_260_512


@pytest.mark.parity
def test_what_is_trained(golden, model):
    model.train()
    trained = {n for n, p in model.named_parameters() if p.requires_grad}
    assert trained == {our_name(name) for name in golden['trainable_names']}
    for name, module in model.named_modules():
        if 'BatchNorm' in type(module).__name__:
            assert not module.training, name
    dropouts = {
        name: module.p
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Dropout2d)
    }
    # The published units have one module for each of two calls; the last one
    # of the list is never called.
    assert set(dropouts.values()) == set(golden['dropout_p'][:-1].tolist())
    assert set(dropouts) == {'backbone.b6.dropout', 'backbone.b7.dropout'}
    model.eval()


@pytest.mark.parity
def test_golden_outputs(golden, model, assert_near):
    stages = {}

    def keep(name):

        def hook(module, args, output):
            # The next layer may rectify in place.
            stages[name] = output.detach().clone()

        return hook

    hooks = [
        getattr(model.head if name == 'fc8' else model.backbone,
                name).register_forward_hook(keep(name))
        for name in golden['stages']
    ]
    with torch.no_grad():
        maps = model.score_maps(golden['x'])
        scores = model.head.scores(maps)
        loss = model.head.loss(scores, golden['y'])
    for hook in hooks:
        hook.remove()
    for name in golden['stages']:
        want = golden[f'stage_{name}']
        assert stages[name].shape == tuple(golden[f'shape_{name}'].tolist())
        assert_near(stages[name].flatten()[golden[f'index_{name}']], want,
                    1e-5)
        values = stages[name].double()
        got = torch.stack(
            (values.mean(), values.std(correction=0), values.abs().max()))
        assert_near(got, golden[f'stat_{name}'], 1e-5)
    assert_near(maps, golden['F'], 1e-5)
    assert_near(scores, golden['S'], 1e-5)
    assert_near(model.head.pyramid(scores), golden['gpp'], 1e-5)
    assert_near(model.head.logits(scores), golden['q'], 1e-5)
    assert_near(loss, golden['loss'], 1e-5)


@pytest.mark.parity
def test_golden_gradients(golden, model, assert_near):
    """In float64: rounding may flip a ReLU, which changes all before it."""
    model.double()
    scores = model(golden['x'].double())
    model.head.loss(scores, golden['y'].double()).backward()
    parameters = dict(model.named_parameters())
    for name in golden['grad_names']:
        grad = parameters[our_name(name)].grad
        assert_near(grad.flatten()[golden[f'gradindex_{name}']],
                    golden[f'grad_{name}'], 1e-6)
        assert_near(grad.norm(), golden[f'gradnorm_{name}'], 1e-6)
    model.zero_grad()
    model.float()


def build(**kwargs):
    torch.manual_seed(0)
    return MODELS.build(
        dict(type='ResNet38d', init_cfg=None, drop_rate=0., **kwargs))


@pytest.mark.parametrize('registry', ['mmpretrain', 'mmseg'])
def test_both_frameworks_build_it(registry):
    models = __import__(f'{registry}.registry', fromlist=['MODELS']).MODELS
    net = models.build(
        dict(type='mmktse.ResNet38d', out_indices=(0, 2, 5), init_cfg=None))
    outs = net.eval()(torch.rand(1, 3, 33, 40))
    assert [tuple(out.shape) for out in outs] == [(1, 128, 17, 20),
                                                  (1, 512, 5, 5),
                                                  (1, 4096, 5, 5)]
    assert outs[-1].min() >= 0 > outs[0].min()


def test_frozen_stages():
    net = build(frozen_stages=-1, norm_cfg=dict(type='BN'), norm_eval=False)
    assert all(p.requires_grad for p in net.parameters())
    assert net.train().bn7.training
    names = {
        name.split('.')[0]
        for name, p in build(frozen_stages=0).named_parameters()
        if 'conv' in name and not p.requires_grad
    }
    assert names == {'conv1a'}


def test_recomputing_changes_nothing():
    plain, thrifty = build(), build(with_cp=True)
    thrifty.load_state_dict(plain.state_dict())
    x = torch.rand(1, 3, 24, 24)
    for net in (plain, thrifty):
        net.train()
        F.mse_loss(net(x)[0], torch.zeros(())).backward()
    for (name, a), b in zip(plain.named_parameters(), thrifty.parameters()):
        assert (a.grad is None) == (b.grad is None), name
        if a.grad is not None:
            torch.testing.assert_close(a.grad, b.grad)


def test_train_mode_drops_whole_channels():
    net = MODELS.build(dict(type='ResNet38d', init_cfg=None)).train()
    x = torch.rand(1, 3, 24, 24)
    assert not torch.equal(net(x)[0], net(x)[0])
    net.eval()
    assert torch.equal(net(x)[0], net(x)[0])
