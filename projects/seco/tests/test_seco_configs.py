# Copyright (c) mmktse authors. All rights reserved.
"""The tools run the method by its configs alone."""
import json
import runpy
import sys
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import DictAction
from mmengine.dataset import Compose
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DATASETS, MODELS, DefaultScope
from mmengine.runner import CheckpointLoader
from PIL import Image

from mmktse.datasets.synthetic import CLASSES, generate_synthetic_voc
from mmktse.engine.config import load_config
from mmktse.seeds.manifest import check_complete

ROOT = Path(__file__).parents[3]
FOLDER = Path(__file__).parents[1] / 'configs'
VOC = FOLDER / 'seco_vit-b16_1xb4-20k_voc12aug-448x448.py'
COCO = FOLDER / 'seco_vit-b16_2xb4-80k_coco14-448x448.py'
CUSTOM = FOLDER / 'seco_vit-tiny_custom-224x224.py'
SEEDS = FOLDER / 'seco_vit-tiny_custom-seeds.py'
# A network for a test.
TINY = [
    f'model.{name}'
    for name in ('backbone.arch.embed_dims=24', 'backbone.arch.num_layers=4',
                 'backbone.arch.num_heads=2',
                 'backbone.arch.feedforward_channels=48',
                 'decode_head.in_channels=24', 'cam_head.in_channels=24',
                 'aux_head.in_channels=24', 'projector.in_channels=24',
                 'projector.out_channels=24', 'queue.channels=24',
                 'queue.size=16', 'prototypes.channels=24')
]


def build(path):
    with DefaultScope.overwrite_default_scope('mmseg'), torch.device('meta'):
        return MODELS.build(load_config(str(path)).model)


@pytest.mark.parity
def test_published_network_and_groups_of_the_optimizer(seco_parity,
                                                       seco_names):
    """Sizes and rates; the unused parts of the published one are left out."""
    model = build(VOC)
    cfg = load_config(str(VOC))
    data = seco_parity('c08_ema_lr_optim')
    rates = {}
    optimizer = build_optim_wrapper(model, cfg.optim_wrapper).optimizer
    for group in optimizer.param_groups:
        assert group['weight_decay'] == data['opt_weight_decay'][0].item()
        assert group['betas'] == tuple(data['opt_betas'][0].tolist())
        assert group['eps'] == data['opt_eps'][0].item()
        for param in group['params']:
            rates[param] = group['lr']
    names = {param: name for name, param in model.named_parameters()}
    wanted = {
        seco_names[theirs]: (6e-5, 6e-5, 6e-4, 6e-4)[index]
        for theirs, index, trained in zip(data['group_names'].tolist(
        ), data['group_index'].tolist(), data['group_requires_grad'].tolist())
        if trained and theirs in seco_names
    }
    got = {names[param]: rate for param, rate in rates.items()}
    assert got == pytest.approx(wanted)
    # 94.96 M, of which 769,000 of the unused head and 589,824 + 768 of the
    # projector's unused layer are not there.
    assert sum(p.numel() for p in rates) == pytest.approx(
        94.96e6 - 769_000 - 590_592, abs=1e4)


@pytest.mark.parametrize('path, classes', [(VOC, 20), (COCO, 80)])
def test_networks_count_their_classes(path, classes):
    model = build(path)
    assert model.cam_head.num_classes == classes
    assert model.aux_head.classifier.weight.shape[0] == classes
    assert len(model.prototypes.vectors) == classes
    assert model.decode_head.conv_seg[0].out_channels == classes + 1
    assert model.decompose.faithful and model.queue.faithful


SETTINGS = {
    'model.schedule.weights.ptc': (.3, .2),
    'model.schedule.weights.lig': (.5, .5),
    'model.schedule.weights.lil': (.5, .3),
    'model.schedule.weights.seg': (.12, .12),
    'model.schedule.weights.reg': (.05, .05),
    'model.schedule.start.ptc': (0, 8001),
    'model.schedule.start.lig': (1001, 12001),
    'model.schedule.start.lil': (1001, 12001),
    'model.schedule.start.seg': (2001, 16001),
    'model.schedule.start.reg': (2001, 16001),
    'model.schedule.start.prototypes': (600, 6000),
    'model.schedule.start.main_roi': (10000, 50000),
    'model.schedule.start.main_mask': (0, 12000),
    'model.thresholds': ((.7, .25), (.65, .25)),
    'model.cam_scales': ((1, .5, .75, 1.5), (1, .5, .75, 1.25, 1.5)),
    'model.decomposition': (dict(num_crops=10, crop_size=64), ) * 2,
    'model.queue.size': (4608, 4608),
    'model.prototypes.momentum': (.9, .99),
    'model.momentum': (.999, .999),
    'model.faithful': (True, True),
    'optim_wrapper.optimizer.lr': (6e-5, 6e-5),
    'optim_wrapper.optimizer.weight_decay': (.01, .01),
    'param_scheduler.0.warmup_steps': (1500, 1500),
    'param_scheduler.0.warmup_ratio': (1e-6, 1e-6),
    'param_scheduler.0.power': (.9, .9),
    'param_scheduler.0.end': (20000, 80000),
    'train_cfg.max_iters': (20000, 80000),
    'train_dataloader.batch_size': (4, 4),
    'randomness.seed': (0, 0),
    'crf.gaussian_sxy': (1, 1),
    'crf.gaussian_compat': (1, 1),
    'crf.bilateral_sxy': (121, 121),
    'crf.bilateral_srgb': (5, 5),
    'crf.bilateral_compat': (4, 4),
    'crf.num_iters': (10, 10),
}


@pytest.mark.parametrize('index, path', [(0, VOC), (1, COCO)])
def test_published_settings(index, path):
    cfg = load_config(str(path))
    for name, values in SETTINGS.items():
        value = cfg
        for key in name.split('.'):
            value = value[int(key) if key.isdigit() else key]
        assert value == values[index], name
    model = build(path)
    assert (model.lil.temperature, model.lig.temperature) == (.08, .1)
    assert model.decompose.area_threshold == .2
    assert model.reg.loss_weight == 1e-7


# The custom config limits the size of an image first.
@pytest.mark.parametrize('path, place', [(VOC, 5), (COCO, 5), (CUSTOM, 6)])
def test_mirror_of_the_strong_view_can_be_left_out(path, place):
    option = 'train_dataloader.dataset.dataset.pipeline.{}.transforms.0.prob'
    readme = (FOLDER.parent / 'README.md').read_text()
    assert option.format(5) + '=0' in readme and '`pipeline.6`' in readme
    cfg = load_config(str(path), {option.format(place): 0})
    strong = cfg.train_dataloader.dataset.dataset.pipeline[place]
    assert strong.remapping.img == 'strong_img'
    assert strong.transforms[0] == dict(type='mmcv.RandomFlip', prob=0)


@pytest.mark.parametrize(
    'path, sizes',
    [
        (VOC, [(448, 448), (560, 560), (672, 672)]),
        # Of the image; 55.5 is rounded.
        (COCO, [(37, 50), (46, 62), (56, 75)])
    ])
def test_published_pipelines(path, sizes, tmp_path):
    image, mask = str(tmp_path / 'image.png'), str(tmp_path / 'mask.png')
    pixels = np.random.default_rng(0).integers(1, 256, (37, 50, 3), np.uint8)
    Image.fromarray(pixels).save(image)
    Image.fromarray(np.ones((37, 50), np.uint8)).save(mask)
    info = dict(
        img_path=image,
        seg_map_path=mask,
        seg_fields=[],
        num_classes=21,
        gt_label=[3])
    cfg = load_config(str(path))
    pipeline = cfg.train_dataloader.dataset.dataset.pipeline
    with DefaultScope.overwrite_default_scope('mmseg'):
        train, test, tta = (
            Compose(pipeline)
            for pipeline in (pipeline, cfg.test_dataloader.dataset.pipeline,
                             cfg.tta_pipeline))
    views = train(dict(info))
    assert {view.shape for view in views['inputs'].values()} == {(3, 448, 448)}
    assert views['data_samples'].gt_label.tolist() == [3]
    single = test(dict(info))
    assert single['inputs'].shape == (3, 448, 448)
    assert single['data_samples'].gt_sem_seg.shape == (37, 50)
    views = tta(dict(info))
    assert [tuple(view.shape[1:]) for view in views['inputs']
            ] == [size for size in sizes for _ in range(2)]
    assert [sample.flip
            for sample in views['data_samples']] == [False, True] * 3


def test_weights_for_the_small_network():
    """The options that the comment of its config names are enough."""
    comment = CUSTOM.read_text().split('--cfg-options')[1].split('.\n')[0]
    parser = ArgumentParser()
    parser.add_argument('options', nargs='+', action=DictAction)
    words = comment.replace('#', '').split()
    cfg = load_config(str(CUSTOM), parser.parse_args(words).options)
    assert cfg.model.backbone.init_cfg == dict(
        type='Pretrained', checkpoint='FILE')
    without = load_config(str(CUSTOM)).model.backbone
    assert without.init_cfg is None and not without.freeze_pos_embed


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp('seco')
    return generate_synthetic_voc(str(folder), 4, 2, 64)


def test_views(data):
    """Of one image, 224 pixels large, uint8."""
    cfg = load_config(str(CUSTOM), dict(data_root=data))
    with DefaultScope.overwrite_default_scope('mmseg'):
        dataset = DATASETS.build(cfg.train_dataloader.dataset)
    assert dataset.metainfo['classes'] == ('background', *CLASSES)
    for index in range(4):
        sample = dataset[index]
        assert set(sample['inputs']) == {'base', 'strong', 'second'}
        for view in sample['inputs'].values():
            assert view.shape == (3, 224, 224) and view.dtype == torch.uint8
        top, bottom, left, right = sample['data_samples'].img_box.tolist()
        base = sample['inputs']['base']
        assert base[:, top:bottom, left:right].float().mean() > 1
        # The rest is black: nothing of the image lies outside.
        assert base.sum() == base[:, top:bottom, left:right].sum()


@pytest.fixture
def run(monkeypatch, data):
    """Runs a tool in this process, started in the root of the repository."""
    monkeypatch.chdir(ROOT)

    def run(tool, *words):
        monkeypatch.setattr(sys, 'argv', [
            tool, *map(str, words), '--cfg-options', f'data_root={data}',
            *TINY, 'test_dataloader.num_workers=0', *options
        ])
        runpy.run_path(f'tools/{tool}')['main']()
        DefaultScope._instance_dict.clear()

    options = []
    run.options = options
    yield run
    DefaultScope._instance_dict.clear()


@pytest.mark.slow
def test_training_then_masks_and_seeds(run, tmp_path):
    work_dir = tmp_path / 'run'
    train = [
        # One of the same name is kept, with the folder of an earlier test.
        f'visualizer.name={tmp_path.name}',
        'train_dataloader.batch_size=2',
        'train_dataloader.num_workers=0',
        'train_dataloader.persistent_workers=False',
        'val_dataloader.num_workers=0',
        'val_dataloader.persistent_workers=False',
        'train_cfg.max_iters=3',
        'train_cfg.val_interval=3',
        'default_hooks.logger.interval=1',
        'default_hooks.checkpoint.interval=3',
        'param_scheduler.0.end=3',
        'param_scheduler.0.warmup_steps=1',
        'model.schedule.start.prototypes=1',
        'model.schedule.start.lil=1',
        'model.schedule.start.lig=1',
        'model.schedule.start.seg=2',
        'model.schedule.start.reg=2'
    ]
    run.options[:] = train
    run('train.py', CUSTOM, '--work-dir', work_dir)
    log, = work_dir.glob('*/vis_data/scalars.json')
    steps = [json.loads(line) for line in log.read_text().splitlines()]
    assert 'mIoU' in steps[-1]
    terms = [{
        name: value
        for name, value in step.items() if name.startswith('loss_')
    } for step in steps[:3]]
    assert all(len(term) == 7 and term['loss_ptc'] > 0 for term in terms)
    assert [term['loss_lig'] > 0 for term in terms] == [False, True, True]
    assert [term['loss_seg'] > 0 for term in terms] == [False, False, True]

    checkpoint = work_dir / 'iter_3.pth'
    content = CheckpointLoader.load_checkpoint(str(checkpoint), 'cpu')
    assert content['meta']['dataset_meta']['classes'] == ('background',
                                                          *CLASSES)
    assert content['state_dict']['teacher.steps'] == 3
    run.options[:] = ['test_dataloader.persistent_workers=False']
    run('test.py', CUSTOM, checkpoint, '--tta', '--work-dir', tmp_path / 'tta')
    row, = json.loads((tmp_path / 'tta' / 'metrics.json').read_text())['rows']
    assert row['tta'] == 'yes' and 0 <= row['mIoU'] <= 100

    run.options += ['pseudo_labels.num_workers=0']
    out = tmp_path / 'labels'
    run('make_pseudo_labels.py', SEEDS, checkpoint, '--out', out)
    assert len(check_complete(out)['ids']) == 4
    rows = json.loads((out / 'metrics.json').read_text())['rows']
    assert {row['what'] for row in rows} == {'seed', 'pseudo labels'}
