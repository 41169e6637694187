# Copyright (c) mmktse authors. All rights reserved.
import os

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from mmktse.engine.checkpoint import latest_checkpoint, read_checkpoint


def save(path, age):
    torch.save(dict(weight=torch.ones(100)), path)
    os.utime(path, (1e9 - age, 1e9 - age))


def test_newest_complete_file(tmp_path):
    # The names alone would mislead: epoch_9 sorts after epoch_10.
    save(tmp_path / 'epoch_9.pth', age=10)
    save(tmp_path / 'epoch_10.pth', age=5)
    assert latest_checkpoint(tmp_path) == str(tmp_path / 'epoch_10.pth')


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
