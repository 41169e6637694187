# Copyright (c) mmktse authors. All rights reserved.
"""The chain of the IRN stage, from seeds to refined labels."""
import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.runner import CheckpointLoader
from PIL import Image

from mmktse.datasets.synthetic import CLASSES, generate_synthetic_voc
from mmktse.seeds import load_label_map, save_seed
from mmktse.seeds.manifest import check_complete

ROOT = Path(__file__).parents[2]
CAM = ROOT / 'configs/cam/cam_efficientnet-lite0_custom.py'
IRN = ROOT / 'configs/irn/irn_efficientnet-lite0_custom.py'


@pytest.fixture
def tool(monkeypatch, forget_runs):

    def run(name, *words):
        forget_runs()
        monkeypatch.setattr(sys, 'argv', [name, *map(str, words)])
        runpy.run_path(str(ROOT / 'tools' / name))['main']()

    return run


@pytest.fixture
def seeds(tmp_path):
    """Generated images, and seeds that are the middle of their objects."""
    data = Path(generate_synthetic_voc(str(tmp_path / 'data'), 4, 1, 96))
    for mask in (data / 'SegmentationClass').glob('syn_train*'):
        truth = load_label_map(mask)
        classes = np.setdiff1d(truth, [0, 255])
        cams = []
        for value in classes:
            yx = np.argwhere(truth == value)
            grid = np.stack(np.indices(truth.shape), -1)
            distance = ((grid - yx.mean(0))**2).sum(-1) / yx.var(0).mean()
            cams.append(np.exp(-distance))
        save_seed(tmp_path / 'seeds' / 'seeds' / f'{mask.stem}.npz',
                  np.stack(cams), classes - 1)
    return tmp_path / 'seeds'


@pytest.fixture
def ir_labels(tool, seeds, tmp_path):
    """Labels with an ignore band; PAR stands in for the CRF."""
    pytest.importorskip('timm')
    out = tmp_path / 'ir_labels'
    tool('make_pseudo_labels.py', CAM, '--from-seeds', seeds, '--out', out,
         '--no-eval', '--cfg-options', f'data_root={tmp_path / "data"}',
         'pseudo_labels.num_workers=0', 'pseudo_labels.threshold=.3',
         'pseudo_labels.ignore_threshold=.1')
    return out


@pytest.fixture
def train(tool, ir_labels, tmp_path):

    def run(folder, epochs, *words):
        # What the schedule looks like must not depend on where a run stops.
        tool('train.py', IRN, '--work-dir', tmp_path / folder, *words,
             '--cfg-options', f'data_root={tmp_path / "data"}',
             f'pseudo_label_dir={ir_labels}', 'model.backbone.init_cfg=None',
             'train_dataloader.batch_size=2', 'train_dataloader.num_workers=1',
             'train_dataloader.dataset.pipeline.3.crop_size=(96,96)',
             'model.data_preprocessor.size=(96,96)', 'param_scheduler.0.end=3',
             f'train_cfg.max_epochs={epochs}')
        return tmp_path / folder / f'epoch_{epochs}.pth'

    return run


def test_chain(tool, seeds, ir_labels, train, tmp_path):
    ids = check_complete(ir_labels)['ids']
    values = [
        np.unique(
            load_label_map(ir_labels / 'SegmentationClass' / f'{i}.png'))
        for i in ids
    ]
    assert {0, 255} < set(np.concatenate(values).tolist())
    checkpoint = train('irn', 1)
    out = tmp_path / 'labels'
    # In a worker process, which builds the network from its config.
    tool('make_pseudo_labels.py', CAM, '--from-seeds', seeds, '--out', out,
         '--cfg-options', f'data_root={tmp_path / "data"}',
         'pseudo_labels.num_workers=1', 'pseudo_labels.threshold=.25',
         'pseudo_labels.confidence_share=.5',
         'pseudo_labels.refiner.type=IRNRefiner',
         f'pseudo_labels.refiner.config={IRN}',
         f'pseudo_labels.refiner.checkpoint={checkpoint}')
    manifest = check_complete(out)
    sha256 = manifest['settings']['labels']['refiner_sha256']
    assert manifest['ids'] == ids and len(sha256) == 64
    for name in ids:
        label = load_label_map(out / 'SegmentationClass' / f'{name}.png')
        mask = np.array(Image.open(out / 'Confidence' / f'{name}.png')) > 0
        assert set(np.unique(label)) & set(range(1, len(CLASSES) + 1))
        # Half of every class, rounded down.
        assert 0 <= label.size / 2 - mask.sum() <= len(CLASSES)
    row = json.loads((out / 'metrics.json').read_text())['rows'][-1]
    assert row['refiner'] == 'IRNRefiner' and row['mIoU'] > 0


def test_a_resumed_run_ends_with_the_same_weights(train):
    whole, part = (
        CheckpointLoader.load_checkpoint(str(path), 'cpu')['state_dict']
        for path in (train('whole', 2), (train('part', 1),
                                         train('part', 2, '--resume'))[1]))
    assert set(whole) == set(part)
    for name, value in whole.items():
        assert torch.equal(value, part[name]), name
