# Copyright (c) mmktse authors. All rights reserved.
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_settings_of_a_stage_are_changed_by_inheriting(tmp_path, monkeypatch,
                                                       capsys):
    (tmp_path / 'mine.py').write_text(f"""
_base_ = '{ROOT}/configs/pipelines/ktse_custom.py'
stages = _base_.stages
for _stage in stages:
    if _stage['name'] == 'ktse':
        _stage['cfg_options']['model.num_joint'] = 2
""")
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, 'argv', [
        'run_pipeline.py',
        str(tmp_path / 'mine.py'), '--dry-run', '--cfg-options', 'gpus=4'
    ])
    main = runpy.run_path('tools/run_pipeline.py')['main']
    main()
    text = capsys.readouterr().out
    train, = (
        x for x in text.splitlines()
        if 'tools/train.py' in x and '/ktse ' in x)
    assert 'model.num_joint=2' in train and '--nproc_per_node=4' in train
    monkeypatch.setattr(sys, 'argv', [*sys.argv[:-1], 'model.num_joint=2'])
    with pytest.raises(SystemExit, match="no settings .'model.num_joint'"):
        main()
