# Copyright (c) mmktse authors. All rights reserved.
import subprocess

import pytest
import torch

from mmktse.engine.provenance import code_version, hardware
from mmktse.version import __version__


@pytest.fixture
def checkout(tmp_path):

    def git(*words):
        subprocess.run([
            'git', '-C', tmp_path, '-c', 'user.name=x', '-c', 'user.email=x',
            *words
        ],
                       check=True,
                       capture_output=True)

    git('init')
    (tmp_path / 'code.py').write_text('1')
    git('add', 'code.py')
    git('commit', '-m', 'x')
    return tmp_path


def test_commit_and_changes(checkout):
    version = code_version(checkout)
    release, commit = version.split(' ')
    assert release == __version__
    assert len(commit.strip('()')) == 10
    (checkout / 'untracked').touch()
    assert code_version(checkout) == version
    (checkout / 'code.py').write_text('2')
    assert code_version(checkout) == version.replace(')', '+)')


def test_installed_code_has_no_commit(checkout):
    (checkout / 'site-packages').mkdir()
    assert code_version(checkout / 'site-packages') == __version__


def test_hardware(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    assert ' cores of ' in hardware()
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 4)
    monkeypatch.setattr(torch.cuda, 'get_device_name', lambda index: 'GPU')
    assert hardware() == '1 x GPU'
    assert hardware(4) == hardware(8) == '4 x GPU'
