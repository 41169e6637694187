# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch

from mmktse.models.utils import PAR
from mmktse.seeds import make_label
from projects.seco.seco import (PseudoMaskLabeler, banded_label, inside_boxes,
                                token_label)

MEAN = torch.tensor([123.675, 116.28, 103.53])[:, None, None]
STD = torch.tensor([58.395, 57.12, 57.375])[:, None, None]


@pytest.mark.parity
@pytest.mark.parametrize('dataset', ['voc', 'coco'])
def test_golden_labels(seco_parity, dataset):
    data = seco_parity('c02_cam_labels')
    high, low, single = data[f'thr_{dataset}_high_low_bkg'].tolist()
    cams, targets, boxes = data['cam'], data['cls_label'], data['img_box']
    # Seeds are evaluated by the stock rule.
    evaluated = torch.stack([
        torch.from_numpy(
            make_label(cam[present].numpy(),
                       present.nonzero()[:, 0].numpy(), single)).long()
        for cam, present in zip(cams, targets.bool())
    ])
    outside = ~inside_boxes(boxes, cams.shape[2:])
    got = dict(
        pseudo=banded_label(cams, targets, boxes, (high, low)),
        roi=banded_label(cams, targets, boxes, (high, low), band=-1),
        eval=evaluated,
        boxed=evaluated.masked_fill(outside, 255))
    for name, labels in got.items():
        assert torch.equal(labels, data[f'{name}_{dataset}'].long()), name


@pytest.mark.parity
def test_golden_par(seco_parity, assert_near):
    data = seco_parity('c03_par')
    image = data['img']
    assert_near(PAR()(image, data['masks']), data['out_10it'], 1e-5)
    assert_near(
        PAR((1, 2), num_iters=1)(image, data['masks']),
        data['out_1it_dil_1_2'], 1e-5)
    assert_near(PAR()(image, data['masks_small']), data['out_small_masks'],
                1e-5)
    ones = torch.ones_like(data['gain_ones'])
    assert_near(PAR()(image, ones), data['gain_ones'], 1e-5)


@pytest.mark.parity
@pytest.mark.parametrize('dataset', ['voc', 'coco'])
def test_golden_pseudo_masks(seco_parity, dataset):
    """From images as the network sees them, normalised."""
    data = seco_parity('c03_refine')
    inputs = (data['img_u8'].movedim(-1, 1).float() - MEAN) / STD
    torch.testing.assert_close(
        inputs[:, :, 20:28, 20:28], data['norm_patch'], rtol=0, atol=1e-6)
    images = (inputs * STD + MEAN) / 255
    labeler = PseudoMaskLabeler(
        tuple(data[f'thr_{dataset}_high_low'].tolist()))
    seen = (labeler.truncate(images) * 255).round().byte()
    assert torch.equal(seen, data['denorm_u8'])
    targets = data['cls_label']
    masks = labeler(images, data['cam_f16'].float(), targets,
                    targets.sum(1).int().tolist(), data['img_box'])
    clear = ~data[f'near_tie_{dataset}']
    want = data[f'refined_{dataset}'].long()
    assert torch.equal(masks[clear], want[clear])


def test_truncation_is_optional():
    levels = torch.arange(256.).expand(1, 3, 256)[..., None] / 255
    labeler = PseudoMaskLabeler()
    lowered = (labeler.truncate(levels) * 255).round() < levels * 255 - .5
    assert lowered.sum((0, 2, 3)).tolist() == [19, 7, 6]
    assert not PseudoMaskLabeler(faithful=False).truncate_image


def test_boxes_of_tokens():
    cams = torch.ones(2, 1, 64, 64)
    boxes = torch.tensor([[0, 33, 15, 64], [16, 64, 0, 48]])
    args = cams, torch.ones(2, 1), boxes, (.7, .25), (4, 4)
    labels = token_label(*args, faithful=False)
    # The tokens that are inside as a whole.
    want = torch.full((2, 4, 4), 255)
    want[0, :2, 1:] = want[1, 1:, :3] = 1
    assert torch.equal(labels, want)
    # As published, pixels of the box count as tokens.
    assert (token_label(*args) == 255).all()
