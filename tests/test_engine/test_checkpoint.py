# Copyright (c) mmktse authors. All rights reserved.
import os

import torch

from mmktse.engine.checkpoint import latest_checkpoint


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
