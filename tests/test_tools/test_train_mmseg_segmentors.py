# Copyright (c) mmktse authors. All rights reserved.
import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmengine.runner import CheckpointLoader

from mmktse.datasets.synthetic import CLASSES, generate_synthetic_voc
from mmktse.seeds import load_label_map, save_label_map
from mmktse.seeds.manifest import Manifest, label_path

ROOT = Path(__file__).parents[2]
# Smaller networks than those of the configs.
SMALLER = {
    'deeplabv3plus/deeplabv3plus_r101-d8_4xb4-20k_voc12aug-512x512-pseudo.py':
    [
        'model.backbone.depth=50', 'model.backbone.stem_channels=8',
        'model.backbone.base_channels=8', 'model.decode_head.in_channels=256',
        'model.decode_head.c1_in_channels=32',
        'model.auxiliary_head.in_channels=128'
    ],
    'segformer/segformer_mit-b2_4xb4-20k_voc12aug-512x512-pseudo.py': [
        'model.backbone.embed_dims=16', 'model.backbone.num_layers=[1,1,1,1]',
        'model.decode_head.in_channels=[16,32,80,128]'
    ],
}


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Generated images; the true masks stand in for pseudo labels."""
    folder = tmp_path_factory.mktemp('data')
    root = Path(generate_synthetic_voc(str(folder / 'data'), 4, 1, 64))
    manifest = Manifest(
        folder / 'labels',
        dict(dataset=dict(classes=list(CLASSES), palette=None)), {})
    manifest.start()
    ids = sorted(
        path.stem for path in (root / 'JPEGImages').glob('syn_train*'))
    for name in ids:
        save_label_map(
            label_path(folder / 'labels', name),
            load_label_map(root / 'SegmentationClass' / f'{name}.png'))
    manifest.finish(ids)
    return root, folder / 'labels'


@pytest.mark.parametrize('config', SMALLER)
def test_two_steps(config, data, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, 'argv', [
        'train.py',
        str(ROOT / 'configs' / config), '--work-dir',
        str(tmp_path), '--cfg-options', f'data_root={data[0]}',
        f'pseudo_label_dir={data[1]}', 'model.backbone.init_cfg=None',
        'val_dataloader=None', 'val_evaluator=None', 'val_cfg=None',
        'train_cfg.max_iters=2', 'train_dataloader.batch_size=2',
        'train_dataloader.num_workers=1',
        'train_dataloader.dataset.ann_file=ImageSets/train_labels.txt',
        'train_dataloader.dataset.metainfo=None',
        'train_dataloader.dataset.pipeline.3.crop_size=(64,64)',
        'model.data_preprocessor.size=(64,64)', *SMALLER[config]
    ])
    runpy.run_path(str(ROOT / 'tools' / 'train.py'))['main']()
    state = CheckpointLoader.load_checkpoint(
        str(tmp_path / 'iter_2.pth'), 'cpu')['state_dict']
    assert all(torch.isfinite(x).all() for x in state.values())
    assert state['decode_head.conv_seg.bias'].abs().max() > 0
