# Copyright (c) mmktse authors. All rights reserved.
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmpretrain.structures import DataSample

from mmktse.engine.config import load_config
from mmktse.registry import MODELS, TRANSFORMS

FOLDER = Path(__file__).parents[2] / 'configs'
CONFIGS = sorted(
    str(path.relative_to(FOLDER)) for name in ('cam', 'ktse')
    for path in (FOLDER / name).glob('*.py'))


@pytest.fixture(params=CONFIGS)
def cfg(request):
    if 'efficientnet' in request.param:
        pytest.importorskip('timm')
    return Config.fromfile(FOLDER / request.param)


def half(num_classes, size):
    labels = [[0], [0, num_classes - 1]]
    return [
        torch.randint(0, 256, (3, size, size), dtype=torch.uint8)
        for _ in labels
    ], [DataSample().set_gt_label(label) for label in labels]


def test_one_step_of_each_phase(cfg, monkeypatch):
    torch.manual_seed(0)
    cfg.model.backbone.init_cfg = None
    if cfg.model.head.num_classes is None:
        cfg.model.head.num_classes = 3
    # MMEngine's wrapper for mixed precision wants a GPU, and processors
    # without bfloat16 take minutes for a step.
    monkeypatch.setattr(
        'mmengine.optim.optimizer.amp_optimizer_wrapper.'
        'is_cuda_available', lambda: True)
    monkeypatch.setattr('mmengine.runner.amp.autocast',
                        lambda dtype: nullcontext())
    model = MODELS.build(cfg.model)
    model.init_weights()
    model.train()
    optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    before = {k: v.clone() for k, v in model.named_parameters()}
    inputs, samples = half(cfg.model.head.num_classes, 64)
    batch = dict(inputs=inputs, data_samples=samples)
    assert torch.isfinite(model.train_step(batch, optim_wrapper)['loss'])
    if cfg.train_dataloader.dataset.type == 'SameClassPairDataset':
        inputs, samples = half(cfg.model.head.num_classes, 64)
        batch.update(partner_inputs=inputs, partner_data_samples=samples)
        logs = model.train_step(batch, optim_wrapper)
        assert torch.isfinite(logs['loss'])
        terms = {'loss_kt', 'loss_bg', 'loss_local', 'loss_two'}
        baseline = cfg.model.get('sie', True) is None
        assert terms & set(logs) == (set() if baseline else terms)
    moved = [
        name for name, value in model.named_parameters()
        if not torch.equal(value, before[name])
    ]
    assert any(name.startswith('backbone') for name in moved)
    assert any(name.startswith('head') for name in moved)
    with torch.no_grad():
        scores = model.eval()(torch.rand(1, 3, 64, 96))
    stride = 8 if '-d8' in cfg.text else 16
    assert scores.shape == (1, cfg.model.head.num_classes, 64 // stride,
                            96 // stride)


def test_terms_take_options():
    options = {
        f'model.{name}': 0.1
        for name in ('sie.margin', 'ssr.fg_weight', 'mga.global_weight')
    }
    paths = sorted((FOLDER / 'ktse').glob('ktse_*.py'))
    assert paths
    for path in paths:
        model = load_config(str(path), options).model
        for option, value in options.items():
            _, term, name = option.split('.')
            assert getattr(MODELS.build(model[term]), name) == value, path


def test_both_phases_use_the_same_images(cfg):
    main = cfg.train_dataloader.dataset
    main = main.get('dataset', main)
    assert main == cfg.warmup_dataloader.dataset
    for transform in main.pipeline:
        TRANSFORMS.build(transform)
