# Copyright (c) mmktse authors. All rights reserved.
import pytest

from mmktse.models.refiners import PARRefiner, build_refiner, with_class
from mmktse.utils import worker_pool

PROJECT = """
from mmktse.models.refiners import BaseRefiner
from mmktse.registry import MODELS

@MODELS.register_module()
class Halves(BaseRefiner):
    def refine(self, image, scores):
        return scores / 2
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
    with worker_pool(1) as pool:
        cfg = with_class(dict(type='Halves'))
        refiner = pool.submit(build_refiner, cfg).result()
    assert type(refiner).__name__ == 'Halves'
