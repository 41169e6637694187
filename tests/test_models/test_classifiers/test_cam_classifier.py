# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
import torch.nn.functional as F
from mmpretrain.structures import DataSample
from test_ktse import batch, build, register  # noqa: F401


def sample(label=None, size=(30, 40)):
    data_sample = DataSample(metainfo=dict(ori_shape=size))
    return data_sample if label is None else data_sample.set_gt_label(label)


def views(*sizes):
    return [[torch.randint(0, 256, (3, *size)).byte()] for size in sizes]


def predict(model, inputs, samples):
    model.eval()
    with torch.no_grad():
        return model.test_step(dict(inputs=inputs, data_samples=samples))


def test_predict_merges_scales_and_flips():
    model = build('CAMClassifier', 'CAMHead')
    inputs = views((16, 20), (32, 40))
    result, = predict(model, inputs, [sample([2, 0])])
    assert result.cam_source == 'label'
    assert result.cam_classes.tolist() == [2, 0]
    assert result.cam.shape == (2, 30, 40)

    def maps(image, flip):
        x = model.data_preprocessor.normalize(image)[None]
        s = model(x.flip(-1) if flip else x)[:, [2, 0]]
        return F.interpolate(
            s.flip(-1) if flip else s, (30, 40), mode='bilinear').relu()

    with torch.no_grad():
        total = sum(
            maps(view[0], flip) for view in inputs for flip in (False, True))
    want = (total / (total.amax((2, 3), keepdim=True) + 1e-5))[0]
    torch.testing.assert_close(result.cam, want)


def test_flipped_image_gives_the_flipped_cam():
    model = build('CAMClassifier', 'CAMHead')
    inputs = views((32, 40))
    mirrored = [[inputs[0][0].flip(-1)]]
    a, = predict(model, inputs, [sample([1])])
    b, = predict(model, mirrored, [sample([1])])
    torch.testing.assert_close(a.cam, b.cam.flip(-1))


def test_presence_from_prediction_without_label():
    model = build('CAMClassifier', 'CAMHead')
    for threshold, count in ((0., 3), (1., 0)):
        model.test_cfg = dict(presence_threshold=threshold)
        result, = predict(model, views((16, 20)), [sample()])
        assert result.cam_source == 'prediction'
        assert result.cam.shape == (count, 30, 40)


def test_modes():
    model = build('CAMClassifier', 'CAMHead')
    data = model.data_preprocessor(batch([[0], [1]], pair=False))
    assert model(data['inputs'], mode='tensor').shape == (2, 3, 8, 8)
    with pytest.raises(ValueError, match='tensor, loss or predict'):
        model(data['inputs'], mode='feat')


def test_frozen_modules_do_not_train():
    model = build('CAMClassifier', 'CAMHead', frozen=('conv', ))
    assert not any(p.requires_grad for p in model.backbone.conv.parameters())
    assert all(p.requires_grad for p in model.backbone.norm.parameters())
