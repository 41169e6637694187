# Copyright (c) mmktse authors. All rights reserved.
from pathlib import Path

import pytest

from mmktse.engine.config import load_config

ROOT = Path(__file__).parents[2]
CONFIGS = [
    path for folder in ('cam', 'ktse', 'deeplabv2', 'beco')
    for path in sorted((ROOT / 'configs' / folder).glob('*_custom*.py'))
]


def limits(pipeline):
    return [step['max_long'] for step in pipeline if 'max_long' in step]


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_large_images_are_limited_everywhere(path):
    plain, other = load_config(str(path)), load_config(
        str(path), dict(max_long=77))
    for cfg, limit in ((plain, 512), (other, 77)):
        assert limits(cfg.test_dataloader.dataset.pipeline) == [limit]
        if cfg.default_scope == 'mmseg':
            assert limits(cfg.val_dataloader.dataset.pipeline) == [limit]
            assert limits(cfg.tta_pipeline) == [limit]
            assert cfg.crf.max_long == limit
        else:
            assert cfg.pseudo_labels.refiner.max_long == limit


def test_configs_exist():
    assert len(CONFIGS) > 8
