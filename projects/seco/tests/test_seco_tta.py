# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest
import torch
from mmengine.registry import MODELS
from mmseg.evaluation import IoUMetric
from mmseg.structures import SegDataSample
from torch import nn
from torch.nn import functional as F

import projects.seco.seco  # noqa: F401
from mmktse.evaluation.rates import class_rates
from mmktse.models.refiners import build_refiner


class Network(nn.Module):
    """Of stride 16, and with nothing to be done before it."""

    def __init__(self, data):
        super().__init__()
        self.data = data

    def data_preprocessor(self, batch, training):
        return dict(batch, inputs=torch.stack(batch['inputs']))

    def forward(self, inputs, data_samples, mode):
        assert mode == 'tensor'
        return F.conv2d(
            F.avg_pool2d(inputs, 4), self.data['w'], self.data['b'], stride=4)

    def test_step(self, data):
        raise AssertionError('one view alone is not asked for')


def predict(data, squares):
    """Predictions, from views of the published sizes, made by PyTorch."""
    size = tuple(data['x'].shape[2:])
    inputs, samples = [], []
    for scale in data['scales'].tolist():
        view = tuple(
            int(448 * scale) if squares else int(side * scale)
            for side in size)
        images = F.interpolate(data['x'], view, mode='bilinear')
        for flip in (False, True):
            inputs.append(list(images.flip(-1) if flip else images))
            samples.append([
                SegDataSample(
                    metainfo=dict(ori_shape=size, img_shape=view, flip=flip))
                for _ in images
            ])
    model = MODELS.build(
        dict(type='mmktse.FlipMaxSegTTAModel', module=Network(data)))
    return model.test_step(dict(inputs=inputs, data_samples=samples))


@pytest.mark.parity
@pytest.mark.parametrize('data_set', ['voc', 'coco'])
def test_golden_fusion(seco_parity, data_set):
    data = seco_parity('c10_inference')
    samples = predict(data, data_set == 'voc')
    logits = torch.stack([sample.seg_logits.data for sample in samples])
    torch.testing.assert_close(
        logits, data[f'logits_{data_set}'], rtol=0, atol=2e-5)
    labels = torch.cat([sample.pred_sem_seg.data for sample in samples])
    assert torch.equal(labels, data[f'pred_{data_set}'].long())
    num_classes = dict(voc=21, coco=81)[data_set]
    inter, union, *_ = IoUMetric.intersect_and_union(labels, data['gt'].long(),
                                                     num_classes, 255)
    iou = (inter / union).double()
    torch.testing.assert_close(
        iou, data[f'iou_{data_set}'], rtol=0, atol=1e-6, equal_nan=True)
    assert iou.nanmean().item() == pytest.approx(
        float(data[f'miou_{data_set}']), abs=1e-6)


@pytest.mark.parity
def test_golden_crf(seco_parity):
    pytest.importorskip('pydensecrf', reason='of the extra crf')
    data = seco_parity('c10_inference')
    iters, compat, sxy, compat2, sxy2, srgb = data[
        'crf_params_iter_posw_posxy_biw_bixy_birgb'].tolist()
    refiner = build_refiner(
        dict(
            type='DenseCRFRefiner',
            num_iters=iters,
            gaussian_compat=compat,
            gaussian_sxy=sxy,
            bilateral_compat=compat2,
            bilateral_sxy=sxy2,
            bilateral_srgb=srgb))
    refined = refiner(data['crf_img'].numpy(), data['crf_prob'].numpy())
    np.testing.assert_allclose(refined, data['crf_out'].numpy(), atol=1e-4)


@pytest.mark.parity
def test_golden_metric_is_the_stock_one(seco_parity):
    """The published mean leaves out classes that are only predicted."""
    data = seco_parity('c10_inference')
    inter, union, predicted, truth = IoUMetric.intersect_and_union(
        data['met_pred'].long(), data['met_gt'].long(), 7, 255)
    iou = (inter / union).double()
    there = truth > 0
    torch.testing.assert_close(
        iou[there], data['met_iou'][there], rtol=0, atol=1e-6)
    assert iou[there].mean().item() == pytest.approx(
        float(data['met_miou']), abs=1e-6)
    # Those of seeds and pseudo labels.
    rates = class_rates(*(x.numpy() for x in (inter, truth, predicted)))
    for name in ('precision', 'recall'):
        np.testing.assert_allclose(
            rates[name], 100 * data[f'met_{name}'].numpy(), rtol=1e-12)
    assert float(inter.sum() / truth.sum()) == pytest.approx(
        float(data['met_pacc']), abs=1e-6)
    assert np.nanmean(rates['recall']) == pytest.approx(
        100 * float(data['met_macc']), rel=1e-12)
