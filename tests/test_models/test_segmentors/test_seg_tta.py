# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
from mmengine.registry import MODELS, DefaultScope
from mmengine.structures import PixelData
from mmseg.models.segmentors import EncoderDecoder, SegTTAModel
from mmseg.structures import SegDataSample
from torch import nn
from torch.nn.functional import interpolate

from mmktse.models.segmentors.seg_tta import merge_max

PREPROCESSOR = dict(type='SegDataPreProcessor', mean=[127.] * 3, std=[50.] * 3)


class Cells(EncoderDecoder):
    """A network of one convolution of stride 8."""

    def __init__(self, **kwargs):
        nn.Module.__init__(self)
        with DefaultScope.overwrite_default_scope('mmseg'):
            self.data_preprocessor = MODELS.build(dict(PREPROCESSOR, **kwargs))
        self.align_corners = False
        self.out_channels = 4
        self.net = nn.Conv2d(3, 4, 8, stride=8)

    def _forward(self, inputs, data_samples=None):
        return self.net(inputs)


def build(name, module):
    return MODELS.build(dict(type=f'mmktse.{name}', module=module)).eval()


def views(logits):
    samples = []
    for logit in logits:
        sample = SegDataSample(metainfo=dict(img_path='a.jpg'))
        sample.seg_logits = PixelData(data=logit)
        sample.gt_sem_seg = PixelData(
            data=torch.ones(1, *logit.shape[1:], dtype=torch.long))
        samples.append(sample)
    return samples


def make_batch(sizes, num_images=2, **meta):
    """A batch of views of images of 48x64 pixels."""
    torch.manual_seed(0)
    images = torch.randint(0, 256, (num_images, 3, 48, 64)).float()
    inputs, samples = [], []
    for size in sizes:
        view = interpolate(images, size, mode='bilinear')
        inputs.append(list(view.to(torch.uint8)))
        samples.append([
            SegDataSample(
                metainfo=dict(ori_shape=(48, 64), img_shape=size, **meta))
            for _ in images
        ])
    return dict(inputs=inputs, data_samples=samples)


def test_mean_is_the_stock_rule_and_stays_in_the_sample():
    logits = torch.randn(3, 4, 6, 8) * 20
    stock, = SegTTAModel(Cells()).merge_preds([views(logits)])
    sample, = build('MeanSegTTAModel', Cells()).merge_preds([views(logits)])
    assert torch.equal(sample.pred_sem_seg.data, stock.pred_sem_seg.data)
    torch.testing.assert_close(
        sample.seg_logits.data.softmax(0),
        logits.softmax(1).mean(0))
    assert sample.gt_sem_seg.data.shape == (1, 6, 8)
    assert sample.img_path == 'a.jpg'


def test_probability_of_zero_is_finite():
    logits = torch.zeros(1, 2, 3, 3)
    logits[:, 1] = -1000
    sample, = build('MeanSegTTAModel', Cells()).merge_preds([views(logits)])
    assert sample.seg_logits.data.isfinite().all()
    assert sample.seg_logits.data.softmax(0)[1].max() < 1e-30


@pytest.mark.parity
def test_golden_maximum(parity, assert_near):
    data = parity('beco')
    scores = [(data[f'ms_net1_view{i}'] + data[f'ms_net2_view{i}']) / 2
              for i in range(len(data['ms_scales']))]
    assert_near(merge_max(scores), data['ms_merged'], 1e-5)
    batch = merge_max([score[None] for score in scores])
    assert torch.equal(batch[0], merge_max(scores))


def test_maximum_of_the_views_goes_to_the_original_size():
    net = Cells()
    sizes = [(48, 64), (32, 48), (64, 80)]
    batch = make_batch(sizes)
    with torch.no_grad():
        samples = build('MaxSegTTAModel', net).test_step(batch)
        scores = []
        for images in batch['inputs']:
            pixels = (torch.stack(images).float() - 127) / 50
            scores.append(net.net(pixels))
    assert [score.shape[2:] for score in scores] == [(6, 8), (4, 6), (8, 10)]
    merged = torch.stack([
        interpolate(score, (6, 8), mode='bilinear') for score in scores
    ]).amax(0)
    want = interpolate(merged, (48, 64), mode='bilinear')
    for sample, logits in zip(samples, want):
        torch.testing.assert_close(sample.seg_logits.data, logits)
        assert torch.equal(sample.pred_sem_seg.data, logits.argmax(0)[None])


def test_one_view_is_the_plain_network():
    batch = make_batch([(48, 64)])
    net = Cells()
    with torch.no_grad():
        sample = build('MaxSegTTAModel', net).test_step(batch)[1]
        pixels = (torch.stack(batch['inputs'][0]).float() - 127) / 50
        logits = interpolate(net.net(pixels), (48, 64), mode='bilinear')
    torch.testing.assert_close(sample.seg_logits.data, logits[1])


@pytest.mark.parametrize('meta, settings', [
    (dict(flip=True, flip_direction='horizontal'), dict()),
    (dict(), dict(test_cfg=dict(size_divisor=40))),
])
def test_flips_and_padding_are_refused(meta, settings):
    model = build('MaxSegTTAModel', Cells(**settings))
    with pytest.raises(ValueError, match='take RandomFlip out'):
        model.test_step(make_batch([(48, 64)], **meta))
