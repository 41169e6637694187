# Copyright (c) mmktse authors. All rights reserved.
import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.runner import CheckpointLoader

from mmktse.datasets.synthetic import CLASSES, generate_synthetic_voc
from mmktse.seeds import load_label_map, save_label_map
from mmktse.seeds.label_io import save_confidence
from mmktse.seeds.manifest import Manifest, confidence_path, label_path

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs/beco' \
    / 'beco_deeplabv2_efficientnet-lite0_custom-224x224.py'


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Generated images; the true masks stand in for pseudo labels."""
    pytest.importorskip('timm')
    folder = tmp_path_factory.mktemp('beco')
    root = Path(generate_synthetic_voc(str(folder / 'data'), 8, 1, 64))
    labels = folder / 'labels'
    manifest = Manifest(
        labels,
        dict(
            dataset=dict(classes=list(CLASSES), palette=None),
            labels=dict(confidence_share=.5)), {})
    manifest.start()
    rng = np.random.default_rng(0)
    ids = [path.stem for path in (root / 'JPEGImages').glob('syn_train*')]
    for name in sorted(ids):
        label = load_label_map(root / 'SegmentationClass' / f'{name}.png')
        save_label_map(label_path(labels, name), label)
        save_confidence(
            confidence_path(labels, name),
            rng.random(label.shape) < .5)
    manifest.finish(sorted(ids))
    return root, labels


@pytest.fixture
def words(data, tmp_path):
    """Words of the command; the schedule must not depend on its end."""

    def make(folder, epochs, batch_size, *options, resume=False):
        return [
            str(CONFIG), '--work-dir',
            str(tmp_path / folder), *['--resume'] * resume, '--cfg-options',
            f'data_root={data[0]}', f'pseudo_label_dir={data[1]}',
            'model.backbone.init_cfg=None', 'val_dataloader=None',
            'val_evaluator=None', 'val_cfg=None',
            f'train_dataloader.batch_size={batch_size}',
            'train_dataloader.num_workers=1', 'param_scheduler.0.end=3',
            'train_dataloader.dataset.pipeline.3.scale=(64,64)',
            'model.data_preprocessor.size=(64,64)', 'custom_hooks.1.begin=1',
            f'train_cfg.max_epochs={epochs}', *options
        ]

    return make


@pytest.fixture
def train(words, tmp_path, monkeypatch):
    main = runpy.run_path(str(ROOT / 'tools' / 'train.py'))['main']

    def run(folder, epochs, *options, resume=False):
        monkeypatch.setattr(
            sys, 'argv',
            ['train.py', *words(folder, epochs, 4, *options, resume=resume)])
        main()
        return weights(tmp_path / folder / f'epoch_{epochs}.pth')

    return run


def weights(path):
    return CheckpointLoader.load_checkpoint(str(path), 'cpu')['state_dict']


def test_a_resumed_run_ends_with_the_same_weights(train):
    """The second epoch has online labels."""
    whole = train('whole', 2)
    train('part', 1)
    again = train('part', 2, resume=True)
    assert set(again) == set(whole)
    for name, value in whole.items():
        assert torch.equal(value, again[name]), name


def test_two_processes_equal_one_with_the_doubled_batch(
        train, words, tmp_path):
    """Without mixing and colours, which each process draws by itself."""
    options = ('model.mix_prob=0.', 'model.color_augment=None',
               'train_dataloader.dataset.pipeline.3.crop_ratio_range=(1,1)',
               'train_dataloader.dataset.pipeline.3.aspect_ratio_range=(1,1)',
               'train_dataloader.dataset.pipeline.4.prob=0.')
    one = train('one', 1, *options)
    done = subprocess.run([
        'bash',
        str(ROOT / 'tools/dist_train.sh'), *words('two', 1, 2, *options)
    ],
                          env=dict(
                              os.environ,
                              GPUS='2',
                              PORT=str(20000 + os.getpid() % 20000),
                              PYTHON=sys.executable,
                              OMP_NUM_THREADS='1'),
                          stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT,
                          text=True)
    assert done.returncode == 0, done.stdout[-3000:]
    two = weights(tmp_path / 'two' / 'epoch_1.pth')
    # Rounding grows over the steps, on some processors to 1.2e-5.
    start = train('start', 1, *options, 'optim_wrapper.optimizer.lr=0.')
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-4, atol=2e-5)
        if value.is_floating_point() and 'running_' not in name:
            moved = (value - start[name]).norm()
            assert (two[name] - value).norm() <= .02 * moved, name
    for name in ('decode_head', 'second.decode_head'):  # they started at 0
        assert one[f'{name}.conv_seg.0.bias'].abs().min() > 2e-4
