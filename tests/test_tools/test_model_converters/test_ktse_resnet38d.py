# Copyright (c) mmktse authors. All rights reserved.
import runpy
import sys
from pathlib import Path

import pytest
import torch

TOOL = (
    Path(__file__).parents[3] / 'tools' / 'model_converters' /
    'ktse_resnet38d.py')


def run(monkeypatch, *args):
    monkeypatch.setattr(sys, 'argv', [TOOL.name, *map(str, args)])
    runpy.run_path(str(TOOL), run_name='__main__')


@pytest.fixture
def released(parity):
    """One number under each name, as DataParallel saves them."""
    names = [x.split('|')[0] for x in parity('resnet38d')['state_names']]
    return {f'module.{name}': torch.rand(1) for name in names}


@pytest.mark.parity
def test_checkpoint(released, tmp_path, monkeypatch):
    src, out = tmp_path / 'src.pth', tmp_path / 'out.pth'
    torch.save(released, src)
    run(monkeypatch, src, out)
    checkpoint = torch.load(out, weights_only=True)
    assert set(checkpoint) == {'state_dict', 'meta'}
    state = checkpoint['state_dict']
    assert len(state) == 241 - 5
    for ours, theirs in (('backbone.b7.conv_branch2b2.weight',
                          'b7.conv_branch2b2.weight'),
                         ('backbone.bn7.running_var', 'bn7.running_var'),
                         ('head.fc9.weight',
                          'fc9.weight'), ('head.gates.2.negative.weight',
                                          'gconv3.att_n.0.weight')):
        assert torch.equal(state[ours], released[f'module.{theirs}'])


@pytest.mark.parity
def test_other_and_damaged_files_are_refused(released, tmp_path, monkeypatch):
    src, out = tmp_path / 'src.pth', tmp_path / 'out.pth'
    del released['module.fc9.weight']
    torch.save(released, src)
    with pytest.raises(SystemExit, match='the first is "fc9.weight"'):
        run(monkeypatch, src, out)
    src.write_bytes(src.read_bytes()[:-100])
    with pytest.raises(SystemExit, match='error: .*src.pth.*fetch it again'):
        run(monkeypatch, src, out)
    assert not out.exists()
