# Copyright (c) mmktse authors. All rights reserved.
import runpy
import sys
from pathlib import Path

import pytest
import torch

TOOL = (
    Path(__file__).parents[3] / 'tools' / 'model_converters' /
    'publish_model.py')


def run(monkeypatch, *args):
    monkeypatch.setattr(sys, 'argv', [TOOL.name, *map(str, args)])
    runpy.run_path(str(TOOL), run_name='__main__')


@pytest.mark.parametrize('name', ['net.pth', 'net'])
def test_file_and_sizes(tmp_path, monkeypatch, capsys, name):
    src = tmp_path / 'epoch_1.pth'
    state = dict(weight=torch.rand(10, 1000))
    torch.save(dict(state_dict=state, optimizer=torch.rand(10, 1000)), src)
    run(monkeypatch, src, tmp_path / 'out' / name)
    out, = (tmp_path / 'out').glob('net-????????.pth')
    assert f'{out}: 0.0 MB of 0.1 MB' in capsys.readouterr().out
    assert torch.equal(
        torch.load(out, weights_only=True)['state_dict']['weight'],
        state['weight'])


def test_bad_input_is_one_sentence(tmp_path, monkeypatch):
    src = tmp_path / 'src.pth'
    with pytest.raises(SystemExit, match='error: There is no checkpoint'):
        run(monkeypatch, src, tmp_path / 'net.pth')
    src.write_text('nothing')
    with pytest.raises(SystemExit, match='error: .*src.pth is damaged'):
        run(monkeypatch, src, tmp_path / 'net.pth')
    assert [x.name for x in tmp_path.iterdir()] == ['src.pth']
