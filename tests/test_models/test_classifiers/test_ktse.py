# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmpretrain.structures import DataSample
from torch.utils._python_dispatch import TorchDispatchMode

from mmktse.models.utils import foreground_cam
from mmktse.registry import MODELS

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


class TinyBackbone(BaseModule):
    """Stride 4, with a batch norm, so that eval mode can be seen."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 8, 4, 2)
        self.norm = torch.nn.BatchNorm2d(8)

    def forward(self, x):
        return (self.norm(self.conv(x)).relu(), )


@pytest.fixture(autouse=True)
def register():
    MODELS.register_module(name='TinyBackbone', module=TinyBackbone)
    yield
    MODELS.module_dict.pop('TinyBackbone')


def build(type='KTSE', head='GPPHead', **kwargs):
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type=type,
            backbone=dict(type='TinyBackbone'),
            head=dict(type=head, num_classes=3, in_channels=8),
            data_preprocessor=dict(mean=MEAN, std=STD, to_rgb=True),
            **kwargs))
    model.init_weights()
    return model.train()


def batch(labels, pair=True, size=32):
    generator = torch.Generator().manual_seed(1)

    def half():
        return [
            torch.randint(0, 256, (3, size, size), generator=generator).byte()
            for _ in labels
        ], [DataSample().set_gt_label(label) for label in labels]

    data = dict(zip(('inputs', 'data_samples'), half()))
    if pair:
        data.update(zip(('partner_inputs', 'partner_data_samples'), half()))
    return data


LABELS = [[0], [1, 2], [2], [0, 1, 2], [1]]


def losses_of(model, data):
    return model(**model.data_preprocessor(data, True), mode='loss')


def test_warmup_is_classification_alone():
    losses = losses_of(build(), batch(LABELS, pair=False))
    assert [k for k in losses if 'loss' in k] == ['loss_cls']
    assert set(losses) == {'loss_cls', 'cam_peak', 'cam_empty'}


def test_full_step_equals_four_separate_forwards():
    """The published order of forwards, with all partners."""
    model = build(num_joint=2)
    model.head.fc9.weight.data.mul_(3)
    data = model.data_preprocessor(batch(LABELS), True)
    x1, x2 = data['inputs'], data['partner_inputs']
    got = model(**data, mode='loss')

    y = model.targets(data['data_samples'], x1)
    maps1, maps2 = model.score_maps(x1), model.score_maps(x2)
    s1, s2 = maps1[:, 1:], maps2[:, 1:]
    cam_fg = foreground_cam(s1, y, (32, 32))
    low = foreground_cam(s1, y, s1.shape[2:])
    s_m = model.score_maps(x1 * (cam_fg < 0.6))[:, 1:]
    maps_s = model.score_maps(torch.cat((x1[:2], x2[:2]), 2))
    counts = [len(label) for label in LABELS]
    images = [model.data_preprocessor.denormalize(x) for x in (x1, x2)]
    y1, y2 = (model.labeler(i, s, y, counts) for i, s in zip(images, (s1, s2)))
    want = dict(
        loss_cls=F.binary_cross_entropy_with_logits(model.head.logits(s1), y),
        loss_kt=((torch.cat(
            (s1[:2], s2[:2]), 2) - maps_s[:, 1:] - 0.05).relu() *
                 y[:2, :, None, None]).mean(),
        loss_two=model.ssr.mixed(maps_s, torch.cat((y1[:2], y2[:2]), 1)),
        **model.ssr(maps1, y1, cam_fg, y),
        **model.mga(s1, s_m, low < 0.6, y))
    assert set(want) == {k for k in got if k.startswith('loss')}
    for key, value in want.items():
        torch.testing.assert_close(
            got[key], value, rtol=1e-5, atol=1e-6, msg=key)
    sum(v for k, v in got.items() if k.startswith('loss')).backward()
    grads = {n: p.grad.clone() for n, p in model.named_parameters()}
    model.zero_grad()
    sum(want.values()).backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(
            grads[name], parameter.grad, rtol=1e-3, atol=1e-5, msg=name)


@pytest.mark.parity
def test_golden_step(parity, assert_near, monkeypatch):
    """A whole step of the published code, whose network is a table."""
    data = parity('sie_mga')
    maps = {k: data[k].requires_grad_() for k in ('F1', 'F2', 'F_m', 'F_s')}
    q, count = data['q'].requires_grad_(), len(data['F_s'])
    model = build(num_joint=count, labeler=dict(truncate_image=True))
    asked = []

    def score_maps(inputs):
        asked.append(inputs)
        return (torch.cat((maps['F1'], maps['F2'][:count])), maps['F_m'],
                maps['F_s'])[len(asked) - 1]

    labels = []
    label = model.labeler.forward

    def labeler(*args):
        labels.append(label(*args))
        return labels[-1]

    monkeypatch.setattr(model, 'score_maps', score_maps)
    monkeypatch.setattr(model.labeler, 'forward', labeler)
    monkeypatch.setattr(model.head, 'logits', lambda scores: q)
    model.head.num_classes = data['y1'].shape[1]
    batch = {
        f'{prefix}{key}': value
        for prefix, i in (('', 1), ('partner_', 2))
        for key, value in (
            # The preprocessor turns BGR into RGB.
            ('inputs', list(data[f'x{i}_u8'].permute(0, 3, 1, 2).flip(1))),
            ('data_samples', [
                DataSample().set_gt_label(row.nonzero()[:, 0])
                for row in data[f'y{i}']
            ]))
    }
    losses = losses_of(model, batch)
    views, erased, joined = asked
    assert torch.equal(erased, views[:len(q)] * data['keep'])
    assert torch.equal(joined, torch.cat((views[:count], views[len(q):]),
                                         dim=2))
    assert torch.equal(labels[0],
                       torch.cat((data['Y1'], data['Y2'][:count])).long())
    weights = dict(fg=0.0125, inter=0.005)
    for key in ('cls', 'kt', 'local', 'global', 'two', 'fg', 'inter'):
        assert_near(losses[f'loss_{key}'],
                    weights.get(key, 1) * data[f'L_{key}'], 1e-5)
    total, _ = model.parse_losses(losses)
    assert_near(total, data['L_total'], 1e-5)
    total.backward()
    for key, value in dict(maps, q=q).items():
        assert_near(value.grad, data[f'grad_total_{key}'], 2e-5)


class NoSync(TorchDispatchMode):
    """Refuses what makes the host wait for an accelerator."""

    WAITS = ('aten::_local_scalar_dense', 'aten::nonzero',
             'aten::masked_select', 'aten::is_nonzero', 'aten::equal',
             'aten::_unique2', 'aten::repeat_interleave.Tensor')

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert not func.name().startswith(self.WAITS), func.name()
        if func.name().startswith(('aten::index.', 'aten::index_put')):
            # With a mask the size of the result is known on the device only.
            assert all(i is None or i.dtype != torch.bool for i in args[1])
        return func(*args, **(kwargs or {}))


def test_step_never_waits_for_the_device():
    model = build()
    data = model.data_preprocessor(batch(LABELS), True)
    with NoSync():
        losses = model(**data, mode='loss')
        sum(v for k, v in losses.items() if k.startswith('loss')).backward()
    with NoSync(), pytest.raises(AssertionError, match='local_scalar'):
        float(losses['loss_cls'])
    with NoSync(), pytest.raises(AssertionError):
        losses['loss_cls'][None][losses['loss_cls'][None] > 0]


@pytest.mark.parametrize('off, gone', [
    ('sie', ('loss_kt', 'loss_two')),
    ('ssr', ('loss_bg', 'loss_fg', 'loss_inter', 'loss_two')),
    ('mga', ('loss_local', 'loss_global')),
])
def test_terms_can_be_left_out(off, gone):
    every = set(losses_of(build(), batch(LABELS)))
    some = set(losses_of(build(**{off: None}), batch(LABELS)))
    keys = {k for k in every - some if k.startswith('loss')}
    assert keys == set(gone)


def test_collapsed_and_empty_batches_stay_finite():
    model = build()
    model.head.fc9.weight.data.copy_(-model.head.fc9.weight.abs())
    for labels in (LABELS, [[], [], []]):
        losses = losses_of(model, batch(labels))
        total, log = model.parse_losses(losses)
        total.backward()
        assert all(torch.isfinite(v).all() for v in log.values())
        for parameter in model.parameters():
            assert torch.isfinite(parameter.grad).all()
    assert losses_of(model, batch(LABELS))['cam_empty'] == 1
    assert losses_of(model, batch(LABELS))['label_fg'] == 0


def test_batch_norms_stay_in_eval_mode():
    model = build()
    before = model.backbone.norm.running_mean.clone()
    losses_of(model, batch(LABELS))
    assert torch.equal(model.backbone.norm.running_mean, before)
    assert model.backbone.conv.training
    assert build(norm_eval=False).backbone.norm.training


def test_crop_must_fit_the_stride():
    with pytest.raises(ValueError, match='multiple of the output stride'):
        losses_of(build(), batch(LABELS, size=38))
