# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import MODELS
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

RATES = (6, 12, 18, 24)


def _head(**kwargs):
    cfg = dict(
        type='mmktse.DeepLabV2Head', in_channels=5, num_classes=3, in_index=-1)
    head = MODELS.build({**cfg, **kwargs})
    head.init_weights()
    return head


def _samples(label):
    sample = SegDataSample()
    sample.gt_sem_seg = PixelData(data=label[None])
    return [sample]


def test_forward_is_the_sum_of_four_dilated_convolutions():
    head = _head()
    for conv in head.conv_seg:
        torch.nn.init.normal_(conv.bias)
    x = torch.randn(2, 5, 30, 27)
    expected = 0
    for conv, rate in zip(head.conv_seg, RATES):
        padded = F.pad(x, (rate, rate, rate, rate))
        for i in range(3):
            for j in range(3):
                window = padded[..., i * rate:i * rate + 30,
                                j * rate:j * rate + 27]
                expected = expected + torch.einsum(
                    'oc,nchw->nohw', conv.weight[:, :, i, j], window)
        expected = expected + conv.bias[:, None, None]
    scores = head((None, x))
    assert scores.shape == (2, 3, 30, 27)
    torch.testing.assert_close(scores, expected, rtol=1e-4, atol=1e-5)


def test_one_rate_is_a_large_field_of_view():
    head = _head(dilations=(12, ))
    conv, = head.conv_seg
    torch.nn.init.normal_(conv.bias)
    x = torch.randn(2, 5, 30, 27)
    expected = F.conv2d(x, conv.weight, conv.bias, padding=12, dilation=12)
    torch.testing.assert_close(head((x, )), expected)


def test_published_initialisation():
    head = _head(in_channels=64)
    assert len(head.conv_seg) == 4
    for conv in head.conv_seg:
        assert conv.weight.std().item() == pytest.approx(.01, rel=.15)
        assert conv.bias.abs().sum() == 0


def test_nothing_but_the_convolutions_is_trained():
    names = {name.split('.')[0] for name, _ in _head().named_parameters()}
    assert names == {'conv_seg'}


@pytest.mark.parametrize('label', [255, 0, 2])
def test_loss_is_finite_also_where_all_is_ignored(label):
    head = _head()
    feature = torch.randn(1, 5, 4, 4, requires_grad=True)
    label = torch.full((16, 16), label)
    losses = head.loss((feature, ), _samples(label), {})
    losses['loss_ce'].backward()
    assert torch.isfinite(losses['loss_ce'])
    assert torch.isfinite(feature.grad).all()


@pytest.mark.parametrize('rates', [(), (6, 0)])
def test_bad_rates(rates):
    with pytest.raises(ValueError, match='at least 1'):
        _head(dilations=rates)
