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

from mmktse.datasets.coco import COCO_CLASSES

FOLDER = Path(__file__).parents[2] / 'configs' / 'deeplabv2'
CONFIGS = sorted(path.name for path in FOLDER.glob('*.py'))


@pytest.fixture(params=CONFIGS)
def cfg(request):
    config = Config.fromfile(FOLDER / request.param)
    # The custom configs take the number of classes from the data.
    if config.model.decode_head.num_classes is None:
        config.model.decode_head.num_classes = 4
    with DefaultScope.overwrite_default_scope(config.default_scope):
        yield config


def _model(cfg):
    cfg.model.backbone.init_cfg = None
    cfg.model.data_preprocessor.size = (64, 64)
    if cfg.model.backbone.type == 'ResNet':
        cfg.model.backbone.depth = 50
    return MODELS.build(cfg.model)


def _batch(num_classes, void):
    samples = []
    for _ in range(2):
        label = torch.randint(0, num_classes, (1, 64, 64))
        label[:, :void] = 255
        sample = SegDataSample(
            metainfo=dict(img_shape=(64, 64), ori_shape=(64, 64)))
        sample.gt_sem_seg = PixelData(data=label)
        samples.append(sample)
    return dict(
        inputs=[
            torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8)
            for _ in range(2)
        ],
        data_samples=samples)


def test_configs_exist():
    assert any('efficientnet-lite0' in name for name in CONFIGS)
    assert any('r101' in name for name in CONFIGS)
    assert any('vgg16' in name for name in CONFIGS)


def test_one_step(cfg):
    if cfg.model.backbone.type == 'mmktse.TIMMBackbone':
        pytest.importorskip('timm')
    torch.manual_seed(0)
    model = _model(cfg)
    model.init_weights()
    model.train()
    optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    before = {k: v.clone() for k, v in model.named_parameters()}
    for void in (8, 64):  # the second batch has no labelled pixel
        logs = model.train_step(
            _batch(cfg.model.decode_head.num_classes, void), optim_wrapper)
        assert torch.isfinite(logs['loss'])
    for name, value in model.named_parameters():
        assert torch.isfinite(value).all(), name
        if name.startswith('decode_head') and name.endswith('weight'):
            assert not torch.equal(value, before[name]), name
    model.eval()
    data = _batch(cfg.model.decode_head.num_classes, 0)
    sample = model.test_step(data)[0]
    assert sample.pred_sem_seg.data.shape == (1, 64, 64)


def test_classes_agree_everywhere(cfg):
    count = cfg.model.decode_head.num_classes
    for split in ('train', 'val', 'test'):
        dataset = cfg[f'{split}_dataloader'].dataset
        if dataset.get('metainfo', {}).get('classes') == 'classes.txt':
            assert 'custom' in cfg.filename
        elif 'metainfo' in dataset:
            assert len(dataset.metainfo.classes) == count
            assert dataset.metainfo.classes[0] == 'background'
        assert dataset.data_root == cfg.data_root
    if not cfg.filename.endswith('-gt.py'):
        dataset = cfg.train_dataloader.dataset
        assert dataset.type == 'mmktse.PseudoLabelSegDataset'
        assert dataset.pseudo_label_dir == cfg.pseudo_label_dir


def test_schedule_reaches_its_end(cfg):
    scheduler, = cfg.param_scheduler
    unit = 'max_epochs' if scheduler.by_epoch else 'max_iters'
    assert scheduler.end == cfg.train_cfg[unit]
    assert cfg.train_cfg[unit] % cfg.train_cfg.val_interval == 0


def test_pipelines_build(cfg):
    for name in ('train_pipeline', 'test_pipeline', 'tta_pipeline'):
        for transform in cfg[name]:
            TRANSFORMS.build(transform)
    assert cfg.train_dataloader.dataset.pipeline == cfg.train_pipeline
    crop, = (t for t in cfg.train_pipeline if t.type == 'RandomCrop')
    assert crop.crop_size == cfg.crop_size == cfg.model.data_preprocessor.size
    views = cfg.tta_pipeline[-1].transforms
    assert len(views[0]) * len(views[1]) == 2 * len(cfg.img_ratios)


def test_coco_classes():
    cfg = Config.fromfile(
        FOLDER / 'deeplabv2_r101-d8_4xb4-80k_coco14-512x512-pseudo.py')
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        assert loader.dataset.metainfo.classes == ('background', *COCO_CLASSES)


def test_coco_initialised_recipe():
    """Rates and decay as in DeepLab; batch norms stay what they were."""
    cfg = Config.fromfile(
        FOLDER /
        'deeplabv2_r101-d8-cocoinit_1xb10-20k_voc12aug-321x321-pseudo.py')
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = _model(cfg)
        optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    model.train()
    settings = {
        param: (group['lr'], group['weight_decay'])
        for group in optim_wrapper.optimizer.param_groups
        for param in group['params']
    }
    for name, param in model.named_parameters():
        if not name.startswith('decode_head'):
            expected = (2.5e-4, 5e-4)
        elif name.endswith('bias'):
            expected = (5e-3, 0)
        else:
            expected = (2.5e-3, 5e-4)
        is_norm = 'bn' in name or 'downsample.1' in name
        assert param.requires_grad != is_norm, name
        assert settings.get(param) == (None if is_norm else expected), name
    assert not any(m.training for m in model.modules()
                   if isinstance(m, torch.nn.BatchNorm2d))
    # The file is of Caffe: its strides, and images in BGR.
    block = model.backbone.layer2[0]
    assert (block.conv1.stride, block.conv2.stride) == ((2, 2), (1, 1))
    assert block.conv2.dilation == (1, 1)
    assert model.backbone.layer4[0].conv2.dilation == (4, 4)
    image = torch.tensor([104, 117, 123], dtype=torch.uint8)
    inputs = model.data_preprocessor(
        dict(inputs=[image[:, None, None].expand(3, 64, 64)]))['inputs']
    torch.testing.assert_close(inputs[0, :, 0, 0],
                               torch.tensor([-.008, .331, .325]))
