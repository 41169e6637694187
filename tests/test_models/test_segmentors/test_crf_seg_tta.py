# Copyright (c) mmktse authors. All rights reserved.
import mmcv
import numpy as np
import pytest
import torch
from mmengine.model import BaseModel
from mmengine.registry import MODELS
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmktse.models.refiners import BaseRefiner


class Recorder(BaseRefiner):
    """Swaps the two classes and keeps what it was given."""

    def refine(self, image, scores):
        self.image, self.scores = image, scores
        return scores[::-1].copy()


class Segmentor(BaseModel):

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return inputs


def _views(path, logits):
    views = []
    for logit in logits:
        view = SegDataSample(metainfo=dict(img_path=str(path)))
        view.seg_logits = PixelData(data=logit)
        view.gt_sem_seg = PixelData(
            data=torch.ones(1, *logit.shape[1:], dtype=torch.long))
        views.append(view)
    return views


@pytest.fixture
def image(tmp_path):
    path = tmp_path / 'image.png'
    pixels = np.zeros((6, 8, 3), np.uint8)
    pixels[..., 0] = 200  # blue, as mmcv writes BGR
    mmcv.imwrite(pixels, str(path))
    return path


def _model(refiner):
    return MODELS.build(
        dict(
            type='mmktse.CRFSegTTAModel', module=Segmentor(), refiner=refiner))


def test_refiner_gets_rgb_and_mean_probabilities(image):
    model = _model(dict(type='mmktse.PARRefiner'))
    model.refiner = Recorder()
    logits = torch.randn(3, 2, 6, 8)
    sample, = model.merge_preds([_views(image, logits)])
    expected = logits.softmax(1).mean(0)
    np.testing.assert_allclose(model.refiner.scores, expected, rtol=1e-5)
    assert model.refiner.image[0, 0].tolist() == [0, 0, 200]
    assert torch.equal(sample.pred_sem_seg.data, 1 - expected.argmax(0)[None])
    assert sample.gt_sem_seg.data.shape == (1, 6, 8)
    assert sample.img_path == str(image)


def test_dense_crf_removes_a_lone_pixel(image):
    pytest.importorskip('pydensecrf')
    model = _model(dict(type='mmktse.DenseCRFRefiner'))
    logits = torch.zeros(1, 2, 6, 8)
    logits[:, 0] = 2
    logits[:, :, 3, 4] = torch.tensor([0., 1.])
    sample, = model.merge_preds([_views(image, logits)])
    assert sample.pred_sem_seg.data.sum() == 0


def test_image_of_another_size_is_an_error(image):
    model = _model(dict(type='mmktse.PARRefiner'))
    with pytest.raises(ValueError, match='RGB image'):
        model.merge_preds([_views(image, torch.zeros(1, 2, 5, 8))])
