# Copyright (c) mmktse authors. All rights reserved.
from pathlib import Path

import pytest

from mmktse.engine.config import load_config
from mmktse.engine.pipeline import Pipeline

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    'path',
    sorted((ROOT / 'configs' / 'pipelines').glob('*.py')),
    ids=lambda path: path.stem)
def test_stages_fit_together(path, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    cfg = load_config(str(path))
    variables = {k: v for k, v in cfg.items() if isinstance(v, (str, int))}
    pipeline = Pipeline(cfg._cfg_dict.to_dict()['stages'], str(tmp_path),
                        str(ROOT / 'tools'), variables)
    # The optional ones are left out, as there is no data.
    text = pipeline.describe()
    assert text.count(': to do') + text.count(': left out') == len(
        pipeline.stages)
