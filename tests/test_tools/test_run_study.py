# Copyright (c) mmktse authors. All rights reserved.
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = """
results = {results!r}
rate = 40.5
rows = [dict(name='x', title='A row', config='no.py', seeds=[0, 3],
             stages='all')]
stages = dict(all=[
    dict(name='a', type='command', outputs=['{{a.work_dir}}/metrics.json'],
         argv=['{{python}}', '-c',
               'import json, sys; rate = float(sys.argv[1]) + int(sys.argv[2])'
               ';json.dump(dict(mIoU=rate), open(sys.argv[3], "w"))',
               '{{rate}}', '{{seed}}', '{{a.work_dir}}/metrics.json'])])
tables = dict(Figures=[dict(title='mIoU', value='a/metrics/mIoU')])
"""


@pytest.fixture
def study(tmp_path):
    """Runs the tool; returns its exit code and what it said."""
    config = tmp_path / 'study.py'
    config.write_text(CONFIG.format(results=str(tmp_path / 'figures')))

    def run(*args, config=config):
        done = subprocess.run([
            sys.executable, 'tools/analysis_tools/run_study.py',
            str(config), '--work-dir',
            str(tmp_path / 'work'), *args
        ],
                              cwd=ROOT,
                              env=dict(os.environ, PYTHONPATH=str(ROOT)),
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT,
                              text=True)
        return done.returncode, done.stdout

    return run


def test_run_then_table_alone(study, tmp_path):
    assert 'x_s3: a: to do' in study('--dry-run')[1]
    assert 'No run is finished yet' in study('--table')[1]
    code, text = study()
    assert not code and '| A row | 2     | 42.0 ± 1.5 |' in text
    assert len(list((tmp_path / 'figures').glob('*.json'))) == 2
    assert text.splitlines()[-3:] == study('--table')[1].splitlines()[-3:]


@pytest.mark.parametrize('args, message', [
    (['--rows', 'y'], "error: The study has no rows ['y']"),
    (['--cfg-options', 'no=1'], "has no settings ['no']"),
])
def test_bad_arguments(study, args, message):
    code, text = study(*args)
    assert code == 1 and message in text


def test_the_study_of_the_repository_is_sound(study):
    code, text = study(
        '--dry-run', config='configs/ktse/studies/voc12_animals/study.py')
    assert code == 0 and 'sie_ssr_modern_s1: ' in text
