# Copyright (c) mmktse authors. All rights reserved.
import importlib.util
import json
import os.path as osp
import sys

import pytest
import torch

from mmktse.datasets.synthetic import CLASSES, generate_synthetic_voc
from mmktse.registry import MODELS
from mmktse.seeds.manifest import check_complete

CONFIG = """
default_scope = 'mmktse'
data_root = 'nowhere'
model = dict(
    type='CAMClassifier',
    data_preprocessor=dict(mean=[127.] * 3, std=[128.] * 3, to_rgb=True),
    backbone=dict(type='mmpretrain.MobileNetV2', widen_factor=.1),
    head=dict(type='CAMHead', num_classes={num_classes}, in_channels=1280))
test_dataloader = dict(
    batch_size=2,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='ImageLevelDataset',
        data_root=data_root,
        ann_file='ImageSets/train_labels.txt',
        metainfo=dict(classes='classes.txt'),
        test_mode=True,
        pipeline=[
            dict(type='LoadImage'),
            dict(type='MultiScaleViews', scales=(.5, 1.)),
            dict(type='mmpretrain.PackInputs', meta_keys=(
                'img_id', 'img_path', 'seg_map_path', 'ori_shape')),
        ]))
pseudo_labels = dict(
    threshold=.4, num_workers=0,
    refiner=dict(type='PARRefiner', num_iters=1))
"""
NUM_IMAGES = 4


@pytest.fixture(scope='module')
def tool():
    root = osp.join(osp.dirname(__file__), '..', '..', 'tools')
    spec = importlib.util.spec_from_file_location(
        'make_pseudo_labels', osp.join(root, 'make_pseudo_labels.py'))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run(tool, tmp_path, monkeypatch):
    """Runs the tool with a small random network on synthetic images."""
    generate_synthetic_voc(
        str(tmp_path / 'data'), num_train=NUM_IMAGES, num_val=1, size=48)
    config = tmp_path / 'config.py'
    config.write_text(CONFIG.replace('{num_classes}', str(len(CLASSES))))
    cfg = tool.load_config(str(config))
    torch.manual_seed(0)
    torch.save(MODELS.build(cfg.model).state_dict(), tmp_path / 'x.pth')

    def run(*args, data='data'):
        args = [str(arg) for arg in args]
        monkeypatch.setattr(sys, 'argv', [
            'make_pseudo_labels.py',
            str(config), *args, '--cfg-options', f'data_root={tmp_path / data}'
        ])
        tool.main()

    return run


def test_from_checkpoint_then_from_seeds(run, tmp_path, capsys):
    run(tmp_path / 'x.pth', '--out', tmp_path / 'out')
    manifest = check_complete(tmp_path / 'out')
    assert len(manifest['ids']) == NUM_IMAGES
    assert manifest['threshold'] == .4
    assert manifest['settings']['dataset']['classes'] == list(CLASSES)
    metrics = json.loads((tmp_path / 'out' / 'metrics.json').read_text())
    assert [(row['what'], row['threshold_source'], row['refiner'])
            for row in metrics['rows']] == [('seed', 'oracle', 'none'),
                                            ('seed', 'fixed', 'none'),
                                            ('pseudo labels', 'fixed',
                                             'PARRefiner')]
    assert {row['split']
            for row in metrics['rows']} == {'ImageSets/train_labels.txt'}
    assert len(metrics['curve']['mIoU']) == 101
    assert 'threshold 0.40 (fixed)' in capsys.readouterr().out

    # Once more with other settings, and without the network.
    run('--from-seeds', tmp_path / 'out', '--out', tmp_path / 'again',
        '--threshold', 'oracle')
    again = check_complete(tmp_path / 'again')
    oracle = metrics['oracle']['threshold']
    assert again['threshold'] == oracle
    assert again['settings']['labels']['threshold'] == 'oracle'
    assert again['settings']['seeds'] == manifest['settings']['seeds']

    # A finished folder is left as it is, and not used for other settings.
    with pytest.raises(SystemExit, match='labels.threshold was 0.4'):
        run(tmp_path / 'x.pth', '--out', tmp_path / 'out', '--threshold', .5)
    (tmp_path / 'out' / 'seeds' / f'{manifest["ids"][0]}.npz').unlink()
    with pytest.raises(SystemExit, match='1 of 4 images.*have no seed'):
        run('--from-seeds', tmp_path / 'out', '--out', tmp_path / 'third')


def test_bad_input_is_one_sentence(run, tmp_path, capsys):
    with pytest.raises(SystemExit, match='error: There is no checkpoint'):
        run(tmp_path / 'gone.pth', '--out', tmp_path / 'out')
    with pytest.raises(SystemExit, match='error: There is no data folder'):
        run(tmp_path / 'x.pth', '--out', tmp_path / 'out', data='gone')
    with pytest.raises(SystemExit):
        run('--out', tmp_path / 'out')
    assert 'checkpoint or --from-seeds' in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_without_masks_nothing_is_measured(run, tmp_path):
    for mask in (tmp_path / 'data' / 'SegmentationClass').iterdir():
        mask.unlink()
    run(tmp_path / 'x.pth', '--out', tmp_path / 'out')
    check_complete(tmp_path / 'out')
    assert not (tmp_path / 'out' / 'metrics.json').exists()
