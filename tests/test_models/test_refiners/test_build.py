# Copyright (c) mmktse authors. All rights reserved.
import pickle
import subprocess
import sys

import pytest

from mmktse.models.refiners import PARRefiner, build_refiner, with_class

PROJECT = """
from mmktse.models.refiners import BaseRefiner
from mmktse.registry import MODELS

@MODELS.register_module()
class Halves(BaseRefiner):
    def refine(self, image, scores):
        return scores / 2
"""
WORKER = """
import pickle, sys
from mmktse.models.refiners import build_refiner
print(type(build_refiner(pickle.load(sys.stdin.buffer))).__name__)
"""


def test_names_and_classes():
    assert build_refiner(None) is with_class(None) is None
    for name in ('PARRefiner', 'mmktse.PARRefiner'):
        cfg = with_class(dict(type=name, num_iters=3))
        assert cfg == dict(type=PARRefiner, num_iters=3)
        assert isinstance(build_refiner(cfg), PARRefiner)
    with pytest.raises(KeyError, match='NoRefiner'):
        build_refiner(with_class(dict(type='NoRefiner')))


def test_refiner_of_a_project_is_known_in_another_process(
        tmp_path, monkeypatch):
    (tmp_path / 'project_halves.py').write_text(PROJECT)
    monkeypatch.syspath_prepend(str(tmp_path))
    __import__('project_halves')
    monkeypatch.setenv('PYTHONPATH', ':'.join(sys.path))
    done = subprocess.run([sys.executable, '-c', WORKER],
                          input=pickle.dumps(with_class(dict(type='Halves'))),
                          capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().split()[-1] == 'Halves'
