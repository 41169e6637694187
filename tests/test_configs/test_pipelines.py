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
    variables = {
        k: v
        for k, v in cfg.items() if isinstance(v, (str, int, float))
    }
    pipeline = Pipeline(cfg._cfg_dict.to_dict()['stages'], str(tmp_path),
                        str(ROOT / 'tools'), variables)
    # The optional ones are left out, as there is no data.
    text = pipeline.describe()
    assert text.count(': to do') + text.count(': left out') == len(
        pipeline.stages)


@pytest.mark.parametrize(
    'name', ['ktse_custom', 'ktse_irn_custom', 'ktse_voc', 'ktse_coco'])
def test_networks_are_settings(name, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    cfg = load_config(f'configs/pipelines/{name}.py')
    variables = {
        k: v
        for k, v in cfg.items() if isinstance(v, (str, int, float))
    }
    networks = [variables[k] for k in ('cam', 'irn', 'seg') if k in variables]
    assert len(networks) == 2 + (name != 'ktse_custom')
    for number, network in enumerate(networks):
        (tmp_path / f'{number}.py').write_text(f"_base_ = '{ROOT}/{network}'")
    others = {
        k: str(tmp_path / f'{networks.index(v)}.py') if v in networks else v
        for k, v in variables.items()
    }
    text = Pipeline(cfg._cfg_dict.to_dict()['stages'], str(tmp_path),
                    str(ROOT / 'tools'), others).describe()
    for number, network in enumerate(networks):
        assert network not in text and f'{tmp_path}/{number}.py' in text
