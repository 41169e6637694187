# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope
from mmengine.structures import PixelData
from mmseg.models.segmentors import EncoderDecoder
from mmseg.structures import SegDataSample
from torch import nn

from mmktse.models.segmentors import BECO
from mmktse.registry import MODELS

PREPROCESSOR = dict(
    type='SegDataPreProcessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    size=(32, 40))


class Cells(nn.Module):
    """A backbone of one convolution of stride 8 with a batch norm."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Sequential(
            nn.Conv2d(3, 8, 8, stride=8, bias=False), nn.BatchNorm2d(8))

    def forward(self, x):
        return (self.layer(x).relu(), )


def build(**kwargs):
    if 'TestCells' not in MODELS.module_dict:
        MODELS.register_module(name='TestCells', module=Cells)
    cfg = dict(
        type='mmktse.BECO',
        data_preprocessor=PREPROCESSOR,
        backbone=dict(type='mmktse.TestCells'),
        decode_head=dict(
            type='mmktse.DeepLabV2Head',
            in_channels=8,
            in_index=0,
            num_classes=4,
            dilations=(1, 2),
            align_corners=False),
        test_cfg=ConfigDict(mode='whole'))
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = MODELS.build(dict(cfg, **kwargs))
        model.init_weights()
    return model


@pytest.fixture
def batch():
    torch.manual_seed(0)
    samples = []
    for _ in range(4):
        sample = SegDataSample(
            metainfo=dict(img_shape=(32, 40), ori_shape=(32, 40)))
        sample.gt_sem_seg = PixelData(data=torch.randint(0, 4, (1, 32, 40)))
        sample.gt_confidence = PixelData(
            data=torch.randint(0, 2, (1, 32, 40)).byte())
        samples.append(sample)
    inputs = [
        torch.randint(0, 256, (3, 32, 40), dtype=torch.uint8) for _ in samples
    ]
    return dict(inputs=inputs, data_samples=samples)


def test_networks_differ_and_are_averaged(batch):
    model = build().eval()
    assert isinstance(model, EncoderDecoder)
    data = model.data_preprocessor(batch, False)
    first = EncoderDecoder._forward(model, data['inputs'])
    second = model.second(data['inputs'])
    assert not torch.allclose(first, second)
    torch.testing.assert_close(
        model(data['inputs']), (first + second) / 2, rtol=0, atol=1e-6)
    sample = model.test_step(batch)[0]
    logits = nn.functional.interpolate(
        model(data['inputs']), (32, 40), mode='bilinear')
    torch.testing.assert_close(sample.seg_logits.data, logits[0])


def test_a_single_network_takes_the_checkpoint(batch):
    model = build().eval()
    single = build(type='mmseg.EncoderDecoder').eval()
    missing = single.load_state_dict(model.state_dict(), strict=False)
    assert not missing.missing_keys
    images = torch.rand(1, 3, 32, 40)
    assert torch.equal(single(images), EncoderDecoder._forward(model, images))


def test_loss_trains_both_networks(batch):
    model = build().train()
    data = model.data_preprocessor(batch, True)
    for online in (False, True):
        model.online = online
        model.zero_grad()
        losses = model(**data, mode='loss')
        assert set(losses) == {'loss_seg', 'loss_cot', 'label_confident'}
        (losses['loss_seg'] + losses['loss_cot']).backward()
        for name, value in model.named_parameters():
            assert value.grad.abs().sum() > 0, name
        assert all(module.training for module in model.modules())


def test_without_mixing_it_is_the_plain_loss(batch):
    model = build(mix_prob=0., color_augment=None).train()
    data = model.data_preprocessor(batch, True)
    model.online = True
    losses = model(**data, mode='loss')
    label = torch.cat([s.gt_sem_seg.data for s in batch['data_samples']])
    sure = torch.cat([s.gt_confidence.data for s in batch['data_samples']])
    logits = [
        nn.functional.interpolate(x, (32, 40), mode='bilinear')
        for x in model.both(data['inputs'])
    ]
    want = sum((nn.functional.cross_entropy(x, label, reduction='none') *
                sure).mean() for x in logits)
    torch.testing.assert_close(losses['loss_seg'], want)


def test_online_labels_are_those_of_the_mean_in_eval_mode(batch):
    model = build(online_confidence=.3).train()
    inputs = model.data_preprocessor(batch, True)['inputs']
    before = {k: v.clone() for k, v in model.state_dict().items()}
    label, confident = model.online_labels(inputs)
    for name, value in model.state_dict().items():  # statistics too
        assert torch.equal(value, before[name]), name
    probability = nn.functional.interpolate(
        model.eval()(inputs), (32, 40), mode='bilinear').softmax(1)
    assert torch.equal(label, probability.argmax(1))
    assert torch.equal(confident, probability.amax(1) > .3)


@pytest.mark.parity
def test_golden_online_labels(parity, monkeypatch):
    data = parity('beco')
    model = build()
    mean = (data['logits_eval1'] + data['logits_eval2']) / 2
    monkeypatch.setattr(model, '_forward', lambda inputs: mean)
    label, confident = model.online_labels(data['img'])
    assert torch.equal(label, data['pred_label'].long())
    assert torch.equal(confident, data['pred_mask'].view_as(label) > 0)


@pytest.mark.parametrize('bgr_to_rgb', [True, False])
def test_colours_are_changed_in_rgb(bgr_to_rgb):
    """A grey image has the weights of red, green, blue in either order."""
    model = build(
        data_preprocessor=dict(PREPROCESSOR, bgr_to_rgb=bgr_to_rgb),
        color_augment=dict(jitter_prob=0., gray_prob=1., blur_prob=0.))
    bgr = torch.zeros(3, 32, 40, dtype=torch.uint8)
    bgr[2] = 200  # red
    data = model.data_preprocessor(dict(inputs=[bgr]), False)
    gray = model._augment(data['inputs'])
    pixels = gray * model.data_preprocessor.std + model.data_preprocessor.mean
    torch.testing.assert_close(
        pixels, torch.full_like(pixels, 200 * .2989), rtol=0, atol=.2)


def test_auxiliary_head_is_refused():
    with pytest.raises(ValueError, match='auxiliary_head'):
        BECO(backbone=dict(), decode_head=dict(), auxiliary_head=dict())


def test_one_image_has_no_partner(batch):
    model = build().train()
    data = model.data_preprocessor(batch, True)
    with pytest.raises(ValueError, match='batch_size of at least 2'):
        model.loss(data['inputs'][:1], data['data_samples'][:1])
