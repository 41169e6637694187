# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmktse.models.affinity.irn import (IRN, merge_mirrored, reduced_labels,
                                        reduced_size)
from mmktse.registry import MODELS

RESNET = dict(
    type='mmpretrain.ResNet',
    depth=50,
    strides=(1, 2, 2, 1),
    out_indices=(0, 1, 2, 3))


def _irn(pad=None, **kwargs):
    torch.manual_seed(0)
    preprocessor = dict(
        type='mmseg.SegDataPreProcessor',
        mean=[127.] * 3,
        std=[64.] * 3,
        bgr_to_rgb=True,
        test_cfg=pad and dict(size=pad))
    return IRN(**{
        'backbone': RESNET,
        'data_preprocessor': preprocessor,
        **kwargs
    })


@pytest.fixture(scope='module')
def irn():
    return _irn()


def _samples(label):
    sample = SegDataSample()
    sample.gt_sem_seg = PixelData(data=label[None])
    return [sample]


@pytest.mark.parametrize('size', [(64, 96), (101, 135), (33, 50)])
def test_both_maps_are_at_stride_4(irn, size):
    edge, displacement = irn(torch.rand(1, 3, *size))
    assert edge.shape == (1, 1, *reduced_size(size))
    assert displacement.shape == (1, 2, *reduced_size(size))


def test_published_layers(irn):
    shapes = {
        name: tuple(value.shape)
        for name, value in irn.state_dict().items()
        if not name.startswith(('backbone', 'data_preprocessor'))
    }
    channels = (64, 256, 512, 1024, 2048)
    widths = (64, 128, 256, 256, 256)
    for i, (inner, width) in enumerate(zip(channels, widths)):
        assert shapes[f'edge_head.branches.{i}.0.weight'][:2] == (32, inner)
        weight = shapes[f'displacement_head.branches.{i}.0.weight']
        assert weight[:2] == (width, inner)
    assert shapes['displacement_head.deep.0.weight'][:2] == (256, 768)
    assert shapes['displacement_head.fuse.0.0.weight'][:2] == (256, 448)
    assert shapes['displacement_head.fuse.1.weight'][:2] == (2, 256)
    # The last edge convolution alone has a bias.
    assert shapes['edge_head.fuse.bias'] == (1, )
    assert 'displacement_head.fuse.1.bias' not in shapes
    groups = [
        module.num_groups for module in irn.modules()
        if isinstance(module, torch.nn.GroupNorm)
    ]
    assert groups == [4] * 5 + [8, 16, 16, 16, 16, 16, 16]


def test_feature_levels_of_resnet(irn):
    levels = irn.extract_feat(torch.rand(1, 3, 64, 64))
    assert [(x.shape[1], 64 // x.shape[2]) for x in levels] == [(64, 4),
                                                                (256, 4),
                                                                (512, 8),
                                                                (1024, 16),
                                                                (2048, 16)]


def test_backbone_is_not_trained():
    irn = _irn().train()
    assert irn.edge_head.training and not irn.backbone.training
    before = {k: v.clone() for k, v in irn.backbone.state_dict().items()}
    label = torch.randint(0, 2, (96, 96))
    losses = irn(torch.rand(1, 3, 96, 96), _samples(label), mode='loss')
    sum(losses.values()).backward()
    assert all(p.grad is None for p in irn.backbone.parameters())
    for head in (irn.edge_head, irn.displacement_head):
        assert all(p.grad.abs().sum() > 0 for p in head.parameters())
    for name, value in irn.backbone.state_dict().items():
        assert torch.equal(value, before[name]), name


@pytest.mark.parity
def test_golden_mirrored_edge(parity, assert_near):
    data = parity('irn')
    merged = merge_mirrored(data['flip_edge_in'],
                            data['flip_image_size'].tolist())
    assert_near(merged, data['flip_edge_out'], 1e-6)


@pytest.mark.parametrize('pad', [None, (64, 80)])
def test_edges_of_a_mirrored_image_are_mirrored(pad):
    irn = _irn(pad).eval()
    # The larger image is cut by no side of the padding.
    for size in ((48, 64), (100, 72)):
        image = torch.randint(0, 256, (3, *size), dtype=torch.uint8)
        edge = irn.predict_edge(image)
        assert edge.shape == (1, *reduced_size(size))
        assert 0 < edge.min() and edge.max() < 1
        torch.testing.assert_close(
            irn.predict_edge(image.flip(-1)).flip(-1), edge)


def test_labels_are_those_of_the_pixels_in_the_middle():
    labels = torch.arange(9 * 7).view(1, 9, 7)
    reduced = reduced_labels(labels)
    assert reduced.shape == (1, *reduced_size((9, 7)))
    assert reduced.tolist() == labels[:, [2, 6, 8]][:, :, [2, 6]].tolist()


def test_other_backbone():
    pytest.importorskip('timm')
    irn = _irn(
        backbone=dict(
            type='mmktse.TIMMBackbone',
            model_name='tf_efficientnet_lite0',
            features_only=True,
            out_indices=(0, 1, 2, 3, 4),
            output_stride=16),
        in_channels=(16, 24, 40, 112, 320),
        strides=(2, 4, 8, 16, 16),
        stem=None)
    edge, displacement = irn(torch.rand(1, 3, 50, 67))
    assert edge.shape[2:] == displacement.shape[2:] == (13, 17)


def test_bad_input(irn):
    with pytest.raises(ValueError, match='five levels'):
        _irn(in_channels=(1, 2))
    with pytest.raises(ValueError, match='two levels up to stride 4'):
        _irn(strides=(4, 8, 8, 16, 16))
    with pytest.raises(ValueError, match='gives 4 levels'):
        _irn(stem=None)(torch.rand(1, 3, 64, 64))
    with pytest.raises(ValueError, match='predict_edge'):
        irn(torch.rand(1, 3, 64, 64), mode='predict')
    assert MODELS.get('IRN') is IRN
