# Copyright (c) mmktse authors. All rights reserved.
import torch
from mmpretrain.structures import DataSample

from mmktse.models.classifiers import CAMDataPreprocessor


def build():
    return CAMDataPreprocessor(
        mean=[120., 110., 100.], std=[50., 60., 70.], to_rgb=True)


def image(*size):
    return torch.randint(0, 256, (3, *size)).byte()


def test_partners_are_handled_like_anchors():
    x, y = image(8, 8), image(8, 8)
    data = build()(dict(
        inputs=[x],
        data_samples=[DataSample()],
        partner_inputs=[y],
        partner_data_samples=[DataSample()]), True)
    want = build()(dict(inputs=[y], data_samples=[DataSample()]), True)
    assert torch.equal(data['partner_inputs'], want['inputs'])
    assert data['inputs'].shape == (1, 3, 8, 8)
    assert len(data['partner_data_samples']) == 1


def test_views_are_normalised_but_not_stacked():
    small, large = image(8, 9), image(16, 18)
    data = build()(dict(inputs=[[small], [large]], data_samples=[]))
    assert [v[0].shape[1:] for v in data['inputs']] == [(8, 9), (16, 18)]
    want = build()(dict(inputs=[small]))['inputs'][0]
    torch.testing.assert_close(data['inputs'][0][0], want)


def test_denormalize_inverts_and_padding_is_the_mean():
    x = image(8, 8)
    data = build()(dict(inputs=[x]))
    rgb = build().denormalize(data['inputs'])[0]
    torch.testing.assert_close(rgb, x.flip(0) / 255.)
