# Copyright (c) mmktse authors. All rights reserved.
import runpy
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

TOOL = (
    Path(__file__).parents[3] / 'tools' / 'model_converters' /
    'mxnet_resnet38d.py')


def run(monkeypatch, *args):
    monkeypatch.setattr(sys, 'argv', [TOOL.name, *map(str, args)])
    runpy.run_path(str(TOOL), run_name='__main__')


@pytest.fixture
def src(parity, tmp_path):
    """The file in its oldest form, with one number under each name."""
    golden = parity('mxnet_names')
    names = [*golden['source'], *golden['dropped']]
    content = struct.pack('<3Q', 0x112, 0, len(names))
    for number, _ in enumerate(names):
        # One dimension of size 1; CPU 0, float32.
        content += struct.pack('<2I3if', 1, 1, 1, 0, 0, number)
    content += struct.pack('<Q', len(names))
    for name in names:
        content += struct.pack('<Q', len(name)) + name.encode()
    path = tmp_path / 'net.params'
    path.write_bytes(content)
    return path


@pytest.mark.parity
def test_file_of_the_backbone(src, parity, tmp_path, monkeypatch):
    out = tmp_path / 'new' / 'out.pth'
    run(monkeypatch, src, out)
    state = torch.load(out, weights_only=True)['state_dict']
    assert state == {
        name: torch.tensor([np.float32(number)])
        for number, name in enumerate(parity('mxnet_names')['target'])
    }
    assert [x.name for x in out.parent.iterdir()] == ['out.pth']


@pytest.mark.parity
def test_old_result_outlives_a_bad_file(src, tmp_path, monkeypatch):
    out = tmp_path / 'out.pth'
    out.write_text('old')
    src.write_bytes(src.read_bytes()[:-1])
    with pytest.raises(SystemExit, match='error: .*net.params.*fetch it'):
        run(monkeypatch, src, out)
    with pytest.raises(SystemExit, match='error: .*absent.params'):
        run(monkeypatch, tmp_path / 'absent.params', out)
    assert out.read_text() == 'old'


@pytest.mark.parity
def test_killed_while_writing(src, tmp_path, monkeypatch):
    out = tmp_path / 'out.pth'
    out.write_text('old')

    def die(content, file):
        file.write(b'half')
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, 'save', die)
    with pytest.raises(KeyboardInterrupt):
        run(monkeypatch, src, out)
    assert out.read_text() == 'old'
    assert {x.name for x in tmp_path.iterdir()} == {'out.pth', 'net.params'}
