# Copyright (c) mmktse authors. All rights reserved.
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.runner import CheckpointLoader
from PIL import Image

ROOT = Path(__file__).parents[2]
XML = ('<annotation><object><name>cat</name></object>'
       '<object><name>{}</name></object></annotation>')


@pytest.fixture
def voc(tmp_path):
    """Four images of VOC layout, with annotations and the list of trainaug."""
    root = tmp_path / 'VOC2012'
    for folder in ('JPEGImages', 'Annotations', 'ImageSets/Segmentation'):
        (root / folder).mkdir(parents=True)
    rng = np.random.default_rng(0)
    ids = [f'2007_00000{i}' for i in range(4)]
    for i, name in enumerate(ids):
        Image.fromarray(rng.integers(0, 256, (60, 80, 3), 'uint8')).save(
            root / 'JPEGImages' / f'{name}.jpg')
        (root / 'Annotations' / f'{name}.xml').write_text(
            XML.format(('cat', 'dog', 'person', 'sofa')[i]))
    for split in ('trainaug', 'train'):
        (root / 'ImageSets/Segmentation' / f'{split}.txt').write_text(
            '\n'.join(ids))
    return root


def test_headline_config_takes_steps_of_both_phases(voc, tmp_path,
                                                    monkeypatch):
    main = runpy.run_path(str(ROOT / 'tools' / 'train.py'))['main']
    words = [
        'train.py',
        str(ROOT / 'configs/ktse/ktse_r101_voc.py'), '--work-dir',
        str(tmp_path / 'run'), '--cfg-options', f'data_root={voc}',
        'model.backbone.init_cfg=None', 'train_cfg.warmup_epochs=1',
        'train_cfg.max_epochs=2', 'warmup_dataloader.dataset.pipeline.3.'
        'crop_size=64', 'train_dataloader.dataset.dataset.pipeline.3.'
        'crop_size=64'
    ]
    for loader in ('warmup_dataloader', 'train_dataloader'):
        words += [f'{loader}.batch_size=2', f'{loader}.num_workers=0']
    monkeypatch.setattr(sys, 'argv', words)
    main()
    state = CheckpointLoader.load_checkpoint(
        str(tmp_path / 'run' / 'epoch_2.pth'), 'cpu')
    assert state['meta']['iter'] == 4
    log, = (tmp_path / 'run').glob('*/vis_data/scalars.json')
    assert log.is_file()
    moved = state['optimizer']['state']
    assert 90 < len(moved) < 110  # convolutions, no batch norms
