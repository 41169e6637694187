# Copyright (c) mmktse authors. All rights reserved.
"""Stages: zero offsets, what gets gradients, signs, ascent."""
import pytest
import torch
import torch.nn.functional as F
from mmengine.optim import OptimWrapper

from mmktse.models import CAMHead
from mmktse.registry import MODELS
from projects.esol.esol import DeformSampler, ESOLHead

STAGES = ('warm', 'expand', 'shrink')


@pytest.fixture
def feats():
    return (torch.rand(2, 8, 7, 9), )


TARGETS = torch.tensor([[1., 0., 1.], [0., 1., 0.]])


def loss_of(head, feats):
    scores = head.scores(head(feats))
    return head.loss(scores, TARGETS.to(scores))


def test_untrained_warm_head_is_the_plain_one(feats):
    head, plain = ESOLHead(3, 8), CAMHead(3, 8)
    head.init_weights()
    plain.classifier.load_state_dict(head.classifier.state_dict())
    assert torch.equal(head(feats), plain(feats))
    assert head.classifier.weight.std() < .02  # as the plain one starts


def test_clip_off_and_offsets_zero_every_stage_is_the_first(head, feats):
    heads = {stage: head(stage, clip=dict(beta=1.)) for stage in STAGES}
    state = heads['warm'].state_dict()
    heads['expand'].load_state_dict(state)
    for held in (False, True):
        heads['expand'].hold(held)
        torch.testing.assert_close(heads['expand'](feats),
                                   heads['warm'](feats))
    # The second sampler starts as the identity.
    heads['shrink'].load_state_dict(state, strict=False)
    heads['shrink'].shrink.init_weights()
    torch.testing.assert_close(heads['shrink'](feats), heads['warm'](feats))


def test_names_of_the_parameters_stay():
    names = {s: set(ESOLHead(3, 8, s).state_dict()) for s in STAGES}
    assert names['warm'] == names['expand'] < names['shrink']
    new = names['shrink'] - names['warm']
    assert all(name.startswith('shrink.') for name in new)


W1, CLS = 'expand.kernel.weight', 'classifier.weight'
O1 = {'expand.offset.weight', 'expand.offset.bias'}
O2 = {'shrink.offset.weight', 'shrink.offset.bias'}


@pytest.mark.parametrize('stage, held, options, want', [
    ('warm', False, {}, {W1, CLS}),
    ('warm', False, dict(train_kernel=False), {CLS}),
    ('expand', True, {}, {CLS}),
    ('expand', False, {}, O1),
    ('expand', False, dict(train_kernel=False), O1),
    ('expand', False, dict(co_trained=['classifier']), {*O1, CLS}),
    ('expand', False, dict(co_trained=['kernel', 'classifier']),
     {*O1, W1, CLS}),
    ('expand', True, dict(co_trained=['kernel']), {W1, CLS}),
    ('shrink', True, {}, {'shrink.kernel.weight', CLS}),
    ('shrink', True, dict(train_kernel=False), {CLS}),
    ('shrink', False, {}, {*O2, CLS}),
])
def test_reach_of_the_gradient(head, feats, stage, held, options, want):
    head = head(stage, **options)
    feats[0].requires_grad_(stage == 'warm')
    head.hold(held)
    loss_of(head, feats).backward()
    moved = {n for n, p in head.named_parameters() if p.grad is not None}
    assert moved == want
    for name, param in head.named_parameters():
        assert param.requires_grad == (name in want)
        assert name not in want or param.grad.abs().sum() > 0


def test_before_the_first_epoch_both_phases_count():
    """Distributed training lists the parameters once, before the hooks."""
    for stage in STAGES:
        head, want = ESOLHead(3, 8, stage), set()
        listed = {n for n, p in head.named_parameters() if p.requires_grad}
        for held in (True, False):
            head.hold(held)
            want |= {n for n, p in head.named_parameters() if p.requires_grad}
        assert listed == want


def test_gradient_of_the_expansion_is_that_of_the_negative_loss(head, feats):
    """L_E = -lambda_E L_cls, with the definition written out."""
    head = head('expand', lambda_e=.02).double()
    feats = (feats[0].double(), )
    head.hold(False)
    loss_of(head, feats).backward()
    got = [p.grad for p in head.expand.offset.parameters()]
    head.expand.gradient_scale = 1.
    want = torch.autograd.grad(-.02 * loss_of(head, feats),
                               list(head.expand.offset.parameters()))
    for ours, theirs in zip(got, want):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-15)
        assert theirs.abs().max() > 0


def test_co_trained_parts_descend(head, feats):
    head = head('expand', co_trained=['classifier'])
    head.hold(False)
    loss = loss_of(head, feats)
    loss.backward()
    want = torch.autograd.grad(loss_of(head, feats), head.classifier.weight)[0]
    torch.testing.assert_close(head.classifier.weight.grad, want)


def test_gradient_of_the_shrinkage_is_that_of_the_loss(head, feats):
    head = head('shrink').double()
    feats = (feats[0].double(), )
    head.hold(False)
    # Points on the grid are not where the loss is smooth.
    torch.nn.init.normal_(head.shrink.offset.bias, std=.1)
    bias = head.shrink.offset.bias
    loss_of(head, feats).backward()
    place = bias.grad.abs().argmax()
    values = []
    with torch.no_grad():
        for step in (1e-6, -2e-6):
            bias[place] += step
            values.append(loss_of(head, feats).item())
    slope = (values[0] - values[1]) / 2e-6
    assert bias.grad[place].item() == pytest.approx(slope, rel=1e-4)


@pytest.mark.parametrize('stage, rises', [('expand', True), ('shrink', False)])
def test_thirty_steps(head, feats, stage, rises):
    head = head(stage, clip=dict(beta=.5), lambda_e=.1)
    head.hold(False)
    rate = dict(expand=20., shrink=.5)[stage]
    optimizer = OptimWrapper(torch.optim.SGD(head.parameters(), rate))
    values = []
    for _ in range(31):
        loss = loss_of(head, feats)
        values.append(loss.item())
        optimizer.update_params(loss)
    assert (values[-1] > values[0] + 1e-3) == rises
    assert (values[-1] < values[0] - 1e-3) != rises


@pytest.mark.parametrize(
    'co_trained', [[], ['classifier'], ['kernel'], ['kernel', 'classifier']])
def test_present_only(head, feats, co_trained):
    """Offsets climb that loss, what is co-trained descends L_cls."""
    head = head(
        'expand',
        co_trained=co_trained,
        present_only=True,
        lambda_e=.02,
        loss_weight=2.,
        clip=dict(beta=.5)).double()
    torch.nn.init.normal_(head.expand.offset.bias, std=.3)
    feats, targets = (feats[0].double(), ), TARGETS.double()
    head.hold(False)
    maps = head(feats)
    scores = head.scores(maps)
    losses = head.loss(scores, targets), head.ascent_loss(maps, targets)
    sum(losses).backward()

    # The definition, written out.
    head.requires_grad_(True).eval()
    head.expand.gradient_scale = 1.
    torch.testing.assert_close(head(feats), scores)
    logits = head(feats).mean((2, 3))
    whole = 2 * F.multilabel_soft_margin_loss(logits, targets)
    climbed = -2 * logits.sigmoid().log()[targets.bool()].mean()
    torch.testing.assert_close(losses, (whole, climbed))
    for name, param in head.named_parameters():
        if 'offset' in name:
            want = torch.autograd.grad(
                -.02 * climbed, param, retain_graph=True)[0]
        elif any(part in name for part in co_trained):
            want = torch.autograd.grad(whole, param, retain_graph=True)[0]
        else:
            assert param.grad is None, name
            continue
        torch.testing.assert_close(param.grad, want, rtol=1e-9, atol=1e-15)
        assert want.abs().max() > 0


def test_one_sampling_is_enough_for_all_else(head, feats):
    options = dict(present_only=True, co_trained=['kernel'])
    head = head('expand', **options)
    calls = []
    head.expand.register_forward_hook(lambda *_: calls.append(1))
    for held, training, samplings in [(True, True, 1), (False, False, 1),
                                      (False, True, 2)]:
        calls.clear()
        head.hold(held)
        head.train(training)(feats)
        assert len(calls) == samplings
        assert head.climbs_present != held
    head.co_trained = set()
    calls.clear()
    head(feats)
    assert len(calls) == 1


class HalfWay(DeformSampler):

    def offsets(self, maps):
        return super().offsets(maps) / 2


class Cap(torch.nn.Module):

    def __init__(self, top):
        super().__init__()
        self.top = top

    def forward(self, maps):
        return maps.clamp(max=self.top)


def test_other_parts_by_their_type(head, feats, monkeypatch):
    for part in (HalfWay, Cap):
        monkeypatch.setitem(MODELS.module_dict, part.__name__, part)
    head = head(
        'shrink',
        sampler=dict(type='HalfWay', max_offset=1.),
        clip=dict(type='Cap', top=.1))
    for sampler in (head.expand, head.shrink):
        assert type(sampler) is HalfWay and sampler.max_offset == 1
    assert isinstance(head.clip, Cap) and head.clip.top == .1
    assert head(feats).shape == (2, 3, 7, 9)


def test_clip_is_on_after_the_first_stage(head, feats):
    head = head('expand', clip=dict(beta=.1))
    cut = head(feats)
    head.clip.beta = 1.
    assert not torch.allclose(cut, head(feats))


def test_fewer_channels_behind_the_samplers(feats):
    head = ESOLHead(3, 8, 'shrink', mid_channels=4, sampler=dict(dilation=2))
    assert head(feats).shape == (2, 3, 7, 9)
    assert head.expand.kernel.weight.shape == (4, 8, 3, 3)
    assert head.shrink.kernel.weight.shape == (4, 4, 3, 3)
    assert head.shrink.kernel.dilation == (2, 2)


@pytest.mark.parametrize('options, message', [
    (dict(stage='grow'), 'stage of ESOLHead is "grow"'),
    (dict(lambda_e=0.), 'lambda_e of ESOLHead is 0.0: it must be positive'),
    (dict(lambda_e=-.01), 'lambda_e of ESOLHead'),
    (dict(co_trained=['offset']), 'co_trained of ESOLHead'),
])
def test_bad_settings(options, message):
    with pytest.raises(ValueError, match=message):
        ESOLHead(3, 8, **options)
