# Copyright (c) mmktse authors. All rights reserved.
import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmengine.runner import CheckpointLoader

from mmktse.datasets.synthetic import generate_synthetic_voc

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs/deeplabv2' \
    / 'deeplabv2_efficientnet-lite0_custom-224x224-gt.py'


@pytest.fixture
def train(tmp_path, monkeypatch):
    pytest.importorskip('timm')
    data = generate_synthetic_voc(str(tmp_path / 'data'), 6, 2, 64)
    main = runpy.run_path(str(ROOT / 'tools' / 'train.py'))['main']
    # What the schedule looks like must not depend on where the run stops.
    options = [
        f'data_root={data}', 'model.backbone.init_cfg=None',
        'train_dataloader.batch_size=2', 'train_dataloader.num_workers=1',
        'val_dataloader=None', 'val_evaluator=None', 'val_cfg=None',
        'param_scheduler.0.end=3',
        'train_dataloader.dataset.pipeline.3.crop_size=(64,64)',
        'model.data_preprocessor.size=(64,64)'
    ]

    def run(folder, epochs, *words):
        monkeypatch.setattr(sys, 'argv', [
            'train.py',
            str(CONFIG), '--work-dir',
            str(tmp_path / folder), *words, '--cfg-options', *options,
            f'train_cfg.max_epochs={epochs}'
        ])
        main()
        return CheckpointLoader.load_checkpoint(
            str(tmp_path / folder / f'epoch_{epochs}.pth'),
            'cpu')['state_dict']

    return run


def test_a_resumed_run_ends_with_the_same_weights(train):
    whole = train('whole', 2)
    train('part', 1)
    again = train('part', 2, '--resume')
    assert set(again) == set(whole)
    for name, value in whole.items():
        assert torch.equal(value, again[name]), name
