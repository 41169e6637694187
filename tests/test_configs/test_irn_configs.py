# Copyright (c) mmktse authors. All rights reserved.
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmengine.structures import PixelData
from mmseg.registry import MODELS, TRANSFORMS
from mmseg.structures import SegDataSample

FOLDER = Path(__file__).parents[2] / 'configs' / 'irn'
CONFIGS = sorted(path.name for path in FOLDER.glob('*.py'))


@pytest.fixture(params=CONFIGS)
def cfg(request):
    if 'efficientnet' in request.param:
        pytest.importorskip('timm')
    config = Config.fromfile(FOLDER / request.param)
    with DefaultScope.overwrite_default_scope(config.default_scope):
        yield config


def _batch(void):
    samples = []
    for _ in range(2):
        label = torch.zeros(1, 96, 80, dtype=torch.long)
        label[:, :48] = 3
        label[:, :void] = 255
        sample = SegDataSample(
            metainfo=dict(img_shape=(96, 80), ori_shape=(96, 80)))
        sample.gt_sem_seg = PixelData(data=label)
        samples.append(sample)
    images = torch.randint(0, 256, (2, 3, 96, 80), dtype=torch.uint8)
    return dict(inputs=list(images), data_samples=samples)


def test_one_step(cfg):
    torch.manual_seed(0)
    cfg.model.backbone.init_cfg = None
    cfg.model.data_preprocessor.size = (96, 96)
    model = MODELS.build(cfg.model)
    model.init_weights()
    model.train()
    optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    rates = {
        param: group['lr']
        for group in optim_wrapper.optimizer.param_groups
        for param in group['params']
    }
    before = {k: v.clone() for k, v in model.named_parameters()}
    for void in (8, 96):  # the second batch has no labelled pixel
        logs = model.train_step(_batch(void), optim_wrapper)
        assert all(torch.isfinite(value) for value in logs.values())
    assert logs['loss'] == 0
    for name, value in model.named_parameters():
        assert torch.isfinite(value).all(), name
        trained = not name.startswith('backbone')
        assert torch.equal(value, before[name]) != trained, name
        if trained:
            assert rates[value] == (1. if 'displacement' in name else .1), name


def test_schedule_and_pipeline(cfg):
    for transform in cfg.train_pipeline:
        TRANSFORMS.build(transform)
    assert cfg.train_cfg.type == 'EpochBasedTrainLoop'
    assert cfg.train_cfg.max_epochs == cfg.param_scheduler[0].end == 3
    preprocessor = cfg.model.data_preprocessor
    assert preprocessor.size == preprocessor.test_cfg.size == cfg.crop_size
    dataset = cfg.train_dataloader.dataset
    assert dataset.type == 'mmktse.PseudoLabelSegDataset'
    assert dataset.pseudo_label_dir == cfg.pseudo_label_dir
    assert dataset.data_root == cfg.data_root


def test_published_settings():
    cfg = Config.fromfile(FOLDER / 'irn_r50_voc.py')
    assert cfg.train_dataloader.batch_size == 32
    assert cfg.crop_size == (512, 512)
    assert cfg.model.loss.radius == 10
    assert cfg.optim_wrapper.optimizer == dict(
        type='SGD', lr=.1, momentum=1e-4, weight_decay=1e-4)
