# Copyright (c) mmktse authors. All rights reserved.
import os

import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmktse.models.refiners import build_refiner
from mmktse.models.refiners.irn_refiner import IRNRefiner, spread_to_edges
from mmktse.registry import MODELS
from mmktse.seeds import make_label

CONFIG = """
model = dict(
    type='mmktse.IRN',
    data_preprocessor=dict(
        type='mmseg.SegDataPreProcessor', mean=[127.] * 3, std=[64.] * 3,
        bgr_to_rgb=True, test_cfg=dict(size=(48, 48))),
    backbone=dict(
        type='mmpretrain.ResNet', depth=18, strides=(1, 2, 2, 1),
        out_indices=(0, 1, 2, 3),
        init_cfg=dict(type='Pretrained', checkpoint='is not looked for')),
    in_channels=(64, 64, 128, 256, 512))
"""


@pytest.fixture
def cfg(tmp_path):
    """Config of a refiner whose network knows nothing."""
    (tmp_path / 'irn.py').write_text(CONFIG)
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(tmp_path / 'irn.py').model)
    # A checkpoint as the runner writes it.
    torch.save(
        dict(state_dict=model.state_dict(), meta={}), tmp_path / 'irn.pth')
    return dict(
        type='IRNRefiner',
        config=str(tmp_path / 'irn.py'),
        checkpoint=str(tmp_path / 'irn.pth'),
        log2_steps=2)


@pytest.mark.parity
def test_golden(parity, assert_near):
    data = parity('irn')
    size = data['sem_size'].tolist()
    refined = spread_to_edges(data['rw_cam'], data['rw_edge'], size)
    background = data['sem_score'][:1]
    assert (background == .25).all()
    scores = torch.cat([background, refined])
    assert_near(scores, data['sem_score'], 1e-4)
    label = data['sem_keys'][scores.argmax(0)]
    clear = ~data['sem_near_tie']
    assert torch.equal(label[clear], data['sem_label'][clear].long())


@pytest.mark.parity
def test_golden_labels_through_make_label(parity):
    data = parity('irn')
    size = data['sem_size'].tolist()

    def refiner(image, scores):
        refined = spread_to_edges(data['rw_cam'], data['rw_edge'], size)
        return np.concatenate([scores[:1], refined.numpy()])

    cam = np.ones((2, *size), np.float32)
    label = make_label(cam, data['sem_classes'].numpy(), .25, refiner=refiner)
    clear = ~data['sem_near_tie'].numpy()
    np.testing.assert_array_equal(label[clear],
                                  data['sem_label'].numpy()[clear])


@pytest.mark.parametrize('size', [(45, 62), (97, 31), (3, 5)])
def test_any_size(cfg, size):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*size, 3), np.uint8)
    scores = rng.random((3, *size), np.float32)
    scores[0] = .25
    refined = build_refiner(cfg)(image, scores)
    assert refined.shape == scores.shape and refined.dtype == np.float32
    assert (refined[0] == .25).all()
    assert refined[1:].max() == 1 and refined[1:].min() >= 0


def test_image_reaches_the_network_as_rgb(cfg):
    refiner = build_refiner(cfg)
    seen = []
    refiner.model.backbone.register_forward_pre_hook(
        lambda module, args: seen.append(args[0]))
    image = np.zeros((48, 48, 3), np.uint8)
    image[..., 0] = 255
    refiner(image, np.ones((2, 48, 48), np.float32))
    assert seen[0].shape == (2, 3, 48, 48)
    channels = seen[0].mean((0, 2, 3)).tolist()
    assert channels[0] > 1.9 and channels[1] == channels[2] < -1.9


def test_nothing_to_spread(cfg):
    refiner = build_refiner(cfg)
    image = np.zeros((9, 9, 3), np.uint8)
    alone = np.full((1, 9, 9), .3, np.float32)
    np.testing.assert_array_equal(refiner(image, alone), alone)
    empty = spread_to_edges(torch.zeros(2, 9, 9), torch.zeros(1, 3, 3), (9, 9))
    assert (empty == 0).all()


def test_network_and_weights_are_named_by_a_hash(cfg, tmp_path):
    first = build_refiner(cfg).sha256
    assert build_refiner(cfg).sha256 == first and len(first) == 64
    other = tmp_path / 'other.py'
    with open(cfg['config']) as file:
        other.write_text(file.read() + '\nmodel.update(data_preprocessor='
                         "dict(model['data_preprocessor'], pad_val=1))\n")
    assert build_refiner(dict(cfg, config=str(other))).sha256 != first
    state = torch.load(cfg['checkpoint'], weights_only=True)['state_dict']
    state = {name: x + 1 for name, x in state.items()}
    torch.save(state, tmp_path / 'moved.pth')
    moved = dict(cfg, checkpoint=str(tmp_path / 'moved.pth'))
    assert build_refiner(moved).sha256 != first


def test_bad_input_is_one_sentence(cfg, tmp_path):
    paths = cfg['config'], cfg['checkpoint']
    for wrong in ((paths[0], 'gone.pth'), ('gone.py', paths[1])):
        with pytest.raises(FileNotFoundError, match='no file gone.*train an'):
            IRNRefiner(*wrong)
    torch.save(dict(state_dict=dict(a=torch.ones(1))), tmp_path / 'other.pth')
    with pytest.raises(ValueError, match='other.pth is damaged or holds no'):
        IRNRefiner(paths[0], str(tmp_path / 'other.pth'))
    (tmp_path / 'torn.pth').write_bytes(b'torn')
    with pytest.raises(ValueError, match='torn.pth is damaged or holds no'):
        IRNRefiner(paths[0], str(tmp_path / 'torn.pth'))


class Code:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path), )


def test_code_in_a_checkpoint_is_not_run(cfg, tmp_path):
    content = torch.load(cfg['checkpoint'], weights_only=True)
    torch.save(
        dict(content, optimizer=Code(tmp_path / 'made')),
        tmp_path / 'evil.pth')
    with pytest.raises(ValueError, match='evil.pth is damaged or holds no'):
        IRNRefiner(cfg['config'], str(tmp_path / 'evil.pth'))
    assert not (tmp_path / 'made').exists()
