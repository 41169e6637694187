# Copyright (c) mmktse authors. All rights reserved.
"""Other segmentors of mmseg on a folder of pseudo labels."""
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

FOLDER = Path(__file__).parents[2] / 'configs'
CONFIGS = sorted(
    str(path.relative_to(FOLDER)) for name in ('deeplabv3plus', 'segformer')
    for path in (FOLDER / name).glob('*.py'))


@pytest.fixture(params=CONFIGS)
def cfg(request):
    config = Config.fromfile(FOLDER / request.param)
    with DefaultScope.overwrite_default_scope(config.default_scope):
        yield config


@pytest.fixture
def model(cfg):
    """A smaller one from random weights."""
    torch.manual_seed(0)
    cfg.model.backbone.init_cfg = None
    cfg.model.data_preprocessor.size = (64, 64)
    if cfg.model.backbone.type == 'ResNet':
        cfg.model.backbone.depth = 50
    else:
        cfg.model.backbone.num_layers = [1, 1, 1, 1]
    net = MODELS.build(cfg.model)
    net.init_weights()
    return net


def _batch(void):
    samples = []
    for _ in range(2):
        label = torch.randint(0, 21, (1, 64, 64))
        label[:, :void] = 255
        sample = SegDataSample(
            metainfo=dict(img_shape=(64, 64), ori_shape=(64, 64)))
        sample.gt_sem_seg = PixelData(data=label)
        samples.append(sample)
    images = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    return dict(inputs=list(images), data_samples=samples)


def test_configs_exist():
    assert {Path(name).parts[0]
            for name in CONFIGS} == {'deeplabv3plus', 'segformer'}


def test_one_step(cfg, model):
    model.train()
    optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    before = {k: v.clone() for k, v in model.named_parameters()}
    for void in (8, 64):  # the second batch has no labelled pixel
        logs = model.train_step(_batch(void), optim_wrapper)
        assert torch.isfinite(logs['loss'])
    for name, value in model.named_parameters():
        assert torch.isfinite(value).all(), name
        if name.endswith('conv_seg.weight'):
            assert not torch.equal(value, before[name]), name
    model.eval()
    sample = model.test_step(_batch(0))[0]
    assert sample.pred_sem_seg.data.shape == (1, 64, 64)


def test_data_and_schedule(cfg):
    dataset = cfg.train_dataloader.dataset
    assert dataset.type == 'mmktse.PseudoLabelSegDataset'
    assert dataset.pseudo_label_dir == cfg.pseudo_label_dir
    count = len(dataset.metainfo.classes)
    for head in ('decode_head', 'auxiliary_head'):
        if head in cfg.model:
            assert cfg.model[head].num_classes == count
            assert cfg.model[head].loss_decode.avg_non_ignore
    last = cfg.param_scheduler[-1]
    assert last.end == cfg.train_cfg.max_iters
    for earlier, later in zip(cfg.param_scheduler, cfg.param_scheduler[1:]):
        assert earlier.end == later.begin


def test_decay_and_rates_of_segformer():
    cfg = Config.fromfile(
        FOLDER / 'segformer' /
        'segformer_mit-b2_4xb4-20k_voc12aug-512x512-pseudo.py')
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        net = MODELS.build(cfg.model)
        optimizer = build_optim_wrapper(net, cfg.optim_wrapper).optimizer
    settings = {
        param: (group['lr'], group['weight_decay'])
        for group in optimizer.param_groups
        for param in group['params']
    }
    for name, param in net.named_parameters():
        rate = 6e-4 if name.startswith('decode_head') else 6e-5
        decay = 0 if 'norm' in name else .01
        assert settings[param] == (pytest.approx(rate), decay), name
