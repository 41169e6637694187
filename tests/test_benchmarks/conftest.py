# Copyright (c) mmktse authors. All rights reserved.
import importlib
import logging
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / 'benchmarks'


@pytest.fixture
def load(monkeypatch):
    """Imports a benchmark, which find each other in their folder."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module
    # Benchmarks that build a model silence its log.
    logging.disable(logging.NOTSET)
