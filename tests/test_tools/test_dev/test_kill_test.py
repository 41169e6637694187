# Copyright (c) mmktse authors. All rights reserved.
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


# Who is whose child is read from /proc, which other systems do not have.
@pytest.mark.skipif(sys.platform != 'linux', reason='there is no /proc')
def test_killed_pipeline_ends_the_same(tmp_path):
    pytest.importorskip('timm', reason='of the extra quickstart')
    done = subprocess.run([
        sys.executable, 'tools/dev/kill_test.py', tmp_path, '--kills', '2',
        '--gpus', '2'
    ],
                          cwd=ROOT,
                          env=dict(
                              os.environ,
                              PYTHONPATH=str(ROOT),
                              OMP_NUM_THREADS='1'),
                          stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT,
                          text=True)
    assert done.returncode == 0, done.stdout[-3000:]
    # 6 seeds and labels, masks and overlays of 8 images, weights, figures.
    assert '2 kills in ' in done.stdout
    assert 'all 31 results of each' in done.stdout
    assert list((tmp_path / 'whole/labels/seeds').iterdir())
