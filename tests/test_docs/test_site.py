# Copyright (c) mmktse authors. All rights reserved.
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import mmktse

ROOT = Path(__file__).parents[2]


def public_names():
    """What the packages export, under the names that they export it."""
    for info in walk_packages(mmktse.__path__, 'mmktse.'):
        if info.ispkg:
            module = import_module(info.name)
            for name in getattr(module, '__all__', ()):
                yield f'{info.name}.{name}'


@pytest.mark.slow
def test_site_builds_without_warnings(tmp_path):
    """Every link leads somewhere, and every public name is on a page."""
    # Of the extra "docs", which the tests' environment does without.
    for name in ('sphinx', 'myst_parser', 'furo'):
        pytest.importorskip(name)
    from sphinx.util.inventory import InventoryFile
    done = subprocess.run([
        sys.executable, '-m', 'sphinx', '-q', '-W', '--keep-going', '-b',
        'html', ROOT / 'docs', tmp_path
    ],
                          capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    content = (tmp_path / 'objects.inv').read_bytes()
    found = InventoryFile.loads(content, uri='')
    shown = {name for kind in found.data for name in found.data[kind]}
    missing = set(public_names()) - shown
    assert not missing
