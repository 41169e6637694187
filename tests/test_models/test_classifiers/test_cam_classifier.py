# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
import torch.nn.functional as F
from mmpretrain.structures import DataSample
from test_ktse import batch, build, register  # noqa: F401

from mmktse.registry import TRANSFORMS


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


@pytest.mark.parity
def test_golden_seeds_from_pictures(parity, assert_near):
    """Scales, mirrors, network and merging, as published."""
    golden = parity('seed_eval')
    stem, fc8, fc9 = (golden[f'{n}_w'] for n in ('stem', 'fc8', 'fc9'))
    model = build('CAMClassifier', 'CAMHead')

    def extract_feat(x):
        return F.conv2d(x, stem, golden['stem_b'], 8, 3).relu(),

    def head(feats):
        return F.conv2d(F.conv2d(feats[0], fc8).relu(), fc9)[:, 1:]

    model.extract_feat, model.head.forward = extract_feat, head
    model.head.num_classes = len(fc9) - 1
    scales = TRANSFORMS.build(
        dict(type='MultiScaleViews', scales=(0.5, 1.0, 1.5, 2.0)))
    count = sum(key.startswith('image') for key in golden)
    for i in range(count):
        # Images are loaded in BGR.
        image = golden[f'image{i}_u8'].flip(-1).contiguous().numpy()
        scaled = scales.transform(dict(img=image))['img']
        label = golden[f'y{i}'].nonzero()[:, 0]
        result, = predict(model, [[torch.from_numpy(view).permute(2, 0, 1)]
                                  for view in scaled],
                          [sample(label, image.shape[:2])])
        assert torch.equal(result.cam_classes, golden[f'classes{i}'].long())
        # Another Pillow may resize by one grey level differently.
        assert_near(result.cam, golden[f'cam{i}'], 1e-5)


def test_images_of_equal_size_share_a_batch():
    model = build('CAMClassifier', 'CAMHead')
    sizes = [(16, 20), (20, 16), (16, 20), (16, 20)]
    labels = [[2, 0], [1], [], None]
    small, large = (views(*[(h * k, w * k) for h, w in sizes]) for k in (1, 2))
    inputs = [[view for view, in group] for group in (small, large)]
    seen = []
    forward = model.score_maps

    def score_maps(images):
        seen.append(tuple(images.shape[::2]))
        return forward(images)

    model.score_maps = score_maps
    together = predict(model, inputs, [sample(label) for label in labels])
    assert sorted(seen) == [(2, 20), (2, 40), (6, 16), (6, 32)]
    for i, label in enumerate(labels):
        alone, = predict(model, [[view[i]] for view in inputs],
                         [sample(label)])
        assert together[i].cam_source == alone.cam_source
        assert torch.equal(together[i].cam_classes, alone.cam_classes)
        torch.testing.assert_close(together[i].cam, alone.cam)
        torch.testing.assert_close(together[i].pred_score, alone.pred_score)


def test_merging_of_pairs_differs_from_views():
    model = build('CAMClassifier', 'CAMHead')
    inputs = views((16, 20), (32, 40))
    cams = []
    for merge in ('views', 'pairs'):
        model.test_cfg = dict(merge=merge)
        cams.append(predict(model, inputs, [sample([1])])[0].cam)
    assert cams[0].shape == cams[1].shape == (1, 30, 40)
    assert not torch.allclose(*cams, atol=1e-3)


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


def test_training_needs_labels():
    model = build('CAMClassifier', 'CAMHead')
    data = model.data_preprocessor(batch([[0], [1]], pair=False))
    samples = [DataSample(metainfo=dict(img_path='a.jpg')) for _ in range(2)]
    with pytest.raises(ValueError, match=r'Image a\.jpg has no label'):
        model(data['inputs'], samples, mode='loss')


def test_frozen_modules_do_not_train():
    model = build('CAMClassifier', 'CAMHead', frozen=('conv', ))
    assert not any(p.requires_grad for p in model.backbone.conv.parameters())
    assert all(p.requires_grad for p in model.backbone.norm.parameters())
