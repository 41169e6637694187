# Copyright (c) mmktse authors. All rights reserved.
"""The tools run the method by its configs alone."""
import json
import runpy
import sys
from argparse import ArgumentParser
from pathlib import Path

import pytest
import torch
from mmengine.config import DictAction
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DATASETS, MODELS, DefaultScope
from mmengine.runner import CheckpointLoader

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


STARTS = ('ptc', 'lig', 'lil', 'seg', 'reg', 'prototypes', 'main_roi',
          'main_mask')
WEIGHTS = ('ptc', 'lig', 'lil', 'seg', 'reg')


@pytest.mark.parametrize(
    'path, iters, weights, starts, scales, thresholds, momentum, validated', [
        (VOC, 20000, (.3, .5, .5, .12, .05),
         (0, 1001, 1001, 2001, 2001, 600, 10000, 0), (1, .5, .75, 1.5),
         (.7, .25), .9, None),
        (COCO, 80000, (.2, .5, .3, .12, .05),
         (8001, 12001, 12001, 16001, 16001, 6000, 50000, 12000),
         (1, .5, .75, 1.25, 1.5), (.65, .25), .99, 62000),
    ])
def test_published_settings(path, iters, weights, starts, scales, thresholds,
                            momentum, validated):
    cfg = load_config(str(path))
    model, scheduler = cfg.model, cfg.param_scheduler[0]
    assert model.schedule.weights == dict(zip(WEIGHTS, weights))
    assert model.schedule.start == dict(zip(STARTS, starts))
    assert tuple(model.cam_scales) == scales
    assert tuple(model.thresholds) == thresholds
    assert (model.prototypes.momentum, model.momentum) == (momentum, .999)
    assert model.decomposition == dict(num_crops=10, crop_size=64)
    assert model.queue == dict(size=4608)
    assert scheduler.end == cfg.train_cfg.max_iters == iters
    assert (scheduler.warmup_steps, scheduler.warmup_ratio) == (1500, 1e-6)
    assert cfg.train_cfg.get('val_begin') == validated
    assert cfg.train_dataloader.batch_size == 4
    crop = cfg.train_dataloader.dataset.dataset.pipeline[4]
    assert tuple(crop.crop_size) == (448, 448)


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
