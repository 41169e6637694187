# Copyright (c) mmktse authors. All rights reserved.
import os

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader

from mmktse.engine.checkpoint import latest_checkpoint, read_checkpoint


def save(path, age):
    torch.save(dict(weight=torch.ones(100)), path)
    os.utime(path, (1e9 - age, 1e9 - age))


def test_newest_complete_file(tmp_path):
    # The names alone would mislead: epoch_9 sorts after epoch_10.
    save(tmp_path / 'epoch_9.pth', age=10)
    save(tmp_path / 'epoch_10.pth', age=5)
    assert latest_checkpoint(tmp_path) == str(tmp_path / 'epoch_10.pth')


def test_best_weights_are_passed_over(tmp_path):
    """They come without optimizer, and after the checkpoint of the epoch."""
    save(tmp_path / 'iter_20.pth', age=10)
    save(tmp_path / 'best_mIoU_iter_20.pth', age=5)
    assert latest_checkpoint(tmp_path) == str(tmp_path / 'iter_20.pth')


def test_torn_file_is_passed_over(tmp_path):
    save(tmp_path / 'epoch_1.pth', age=10)
    torn = tmp_path / 'epoch_2.pth'
    save(torn, age=5)
    torn.write_bytes(torn.read_bytes()[:-100])
    assert latest_checkpoint(tmp_path) == str(tmp_path / 'epoch_1.pth')
    torn.write_bytes(b'')
    assert latest_checkpoint(tmp_path) == str(tmp_path / 'epoch_1.pth')


def test_nothing_to_go_on_from(tmp_path):
    assert latest_checkpoint(tmp_path / 'none') is None
    (tmp_path / 'epoch_1.pth').write_bytes(b'PK')
    assert latest_checkpoint(tmp_path) is None


class Foreign:
    """Code that no checkpoint holds."""


def test_what_mmengine_writes_is_read(tmp_path):
    logs = HistoryBuffer([np.float64(1.), 2.], [1, 1])
    torch.save(
        dict(
            state_dict=dict(weight=torch.ones(2)),
            message_hub=dict(log_scalars=dict(loss=logs), info=np.int64(3))),
        tmp_path / 'net.pth')
    content = read_checkpoint(tmp_path / 'net.pth')
    assert content['state_dict']['weight'].sum() == 2
    assert content['message_hub']['log_scalars']['loss'].mean() == 1.5
    assert content['meta'] == {}


@pytest.mark.parametrize('content', [
    dict(), [1],
    dict(state_dict=dict()),
    dict(state_dict=dict(weight=1)),
    dict(state_dict=dict(weight=torch.ones(1)), meta=Foreign())
])
def test_no_checkpoint(tmp_path, content):
    file = tmp_path / 'net.pth'
    torch.save(content, file)
    with pytest.raises(ValueError, match='net.pth is .*no checkpoint'):
        read_checkpoint(file)


def test_damaged_file(tmp_path):
    file = tmp_path / 'net.pth'
    torch.save(dict(state_dict=dict(weight=torch.ones(99))), file)
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(ValueError, match='net.pth is damaged'):
        read_checkpoint(file)
    file.write_text('{}')
    with pytest.raises(ValueError, match='net.pth is damaged'):
        read_checkpoint(file)


class Reach:
    """Takes hold of the globals of a module by an object that is known."""

    def __reduce__(self):
        return getattr, (HistoryBuffer, '__init__')


def test_no_way_from_the_logs_to_other_code(tmp_path):
    file = tmp_path / 'net.pth'
    torch.save(dict(state_dict=dict(weight=torch.ones(1)), meta=Reach()), file)
    with pytest.raises(ValueError, match='net.pth is damaged') as error:
        read_checkpoint(file)
    assert 'no place in a checkpoint' in str(error.value.__cause__)


class Touch:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path), )


@pytest.mark.parametrize('name', ['local', 'address'])
def test_mmengine_runs_no_code(tmp_path, monkeypatch, name):
    """What it reads by ``load_from``, ``resume`` and ``init_cfg``."""
    file = tmp_path / 'net.pth'
    weights = dict(state_dict=dict(weight=torch.ones(1)))
    torch.save(weights, file)
    path = str(file)
    if name == 'address':
        # As if the file had been downloaded before.
        monkeypatch.setenv('TORCH_HOME', str(tmp_path))
        (tmp_path / 'hub' / 'checkpoints').mkdir(parents=True)
        file = file.rename(tmp_path / 'hub' / 'checkpoints' / 'net.pth')
        path = 'http://127.0.0.1:9/net.pth'
    assert CheckpointLoader.load_checkpoint(
        path)['state_dict'] == weights['state_dict']
    torch.save(dict(weights, meta=Touch(tmp_path / 'made')), file)
    with pytest.raises(ValueError, match='net.pth .*holds code'):
        CheckpointLoader.load_checkpoint(path)
    assert not (tmp_path / 'made').exists()
    assert 'TORCH_FORCE_WEIGHTS_ONLY_LOAD' not in os.environ


def test_what_mmengine_stores_is_read_again(tmp_path):
    """Logs, colours and optimizer of a run, as they were."""
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.AdamW([weight])
    weight.sum().backward()
    optimizer.step()
    logs = HistoryBuffer([np.float32(1.), np.float64(2.)], [1, 1])
    torch.save(
        dict(
            optimizer=optimizer.state_dict(),
            message_hub=dict(loss=logs),
            palette=np.ones((2, 3), np.uint8)), tmp_path / 'net.pth')
    content = CheckpointLoader.load_checkpoint(str(tmp_path / 'net.pth'))
    state = optimizer.state_dict()['state'][0]
    torch.testing.assert_close(content['optimizer']['state'][0], state)
    assert content['message_hub']['loss'].mean() == 1.5
    assert content['palette'].dtype == np.uint8


def test_missing_file():
    with pytest.raises(FileNotFoundError, match='no checkpoint gone.pth'):
        CheckpointLoader.load_checkpoint('gone.pth')
