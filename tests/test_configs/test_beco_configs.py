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

FOLDER = Path(__file__).parents[2] / 'configs' / 'beco'
CONFIGS = sorted(path.name for path in FOLDER.glob('*.py'))


@pytest.fixture(params=CONFIGS)
def cfg(request):
    config = Config.fromfile(FOLDER / request.param)
    # The custom configs take the number of classes from the data.
    if config.model.decode_head.num_classes is None:
        config.model.decode_head.num_classes = 4
    with DefaultScope.overwrite_default_scope(config.default_scope):
        yield config


def _batch(num_classes):
    samples = []
    for _ in range(2):
        sample = SegDataSample(
            metainfo=dict(img_shape=(64, 64), ori_shape=(64, 64)))
        sample.gt_sem_seg = PixelData(
            data=torch.randint(0, num_classes, (1, 64, 64)))
        sample.gt_confidence = PixelData(
            data=torch.randint(0, 2, (1, 64, 64)).byte())
        samples.append(sample)
    inputs = [
        torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8) for _ in samples
    ]
    return dict(inputs=inputs, data_samples=samples)


def test_a_step_of_each_phase(cfg):
    if cfg.model.backbone.type == 'mmktse.TIMMBackbone':
        pytest.importorskip('timm')
    torch.manual_seed(0)
    cfg.model.backbone.init_cfg = None
    cfg.model.data_preprocessor.size = (64, 64)
    if cfg.model.backbone.type == 'ResNet':
        cfg.model.backbone.depth = 50
    model = MODELS.build(cfg.model)
    model.init_weights()
    model.train()
    optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    names = ('decode_head.conv_seg.0.weight',
             'second.decode_head.conv_seg.0.weight')
    for model.online in (False, True):
        before = [model.get_parameter(name).clone() for name in names]
        logs = model.train_step(
            _batch(cfg.model.decode_head.num_classes), optim_wrapper)
        assert torch.isfinite(logs['loss'])
        for name, value in zip(names, before):
            assert not torch.equal(value, model.get_parameter(name)), name


def test_data_and_schedule(cfg):
    dataset = cfg.train_dataloader.dataset
    assert dataset.type == 'mmktse.PseudoLabelSegDataset'
    assert dataset.confidence
    assert cfg.train_dataloader.drop_last
    scheduler, = cfg.param_scheduler
    assert scheduler.end == cfg.train_cfg.max_epochs
    hooks = {hook.type: hook for hook in cfg.custom_hooks}
    assert 'mmktse.EpochSeedHook' in hooks
    assert hooks['mmktse.OnlineLabelHook'].begin == 2


def test_pipelines(cfg):
    assert cfg.val_dataloader.dataset.pipeline == cfg.test_pipeline
    assert cfg.train_dataloader.dataset.pipeline == cfg.train_pipeline
    for name in ('train_pipeline', 'test_pipeline', 'tta_pipeline'):
        for transform in cfg[name]:
            TRANSFORMS.build(transform)
    # Scale 1 comes first: the others are brought to its size.
    scales = [
        t.get('scale_factor') or t.scale[0] / cfg.crop_size[0]
        for t in cfg.tta_pipeline[-1].transforms[0]
    ]
    assert scales == [1, .75, 1.25]
