# Copyright (c) mmktse authors. All rights reserved.
import signal
import subprocess
import sys

import pytest

from mmktse.utils import BusyError, folder_lock

HOLD = """
import sys, time
from mmktse.utils import folder_lock
with folder_lock(sys.argv[1]):
    print('held', flush=True)
    time.sleep(60)
"""


def test_second_holder_is_refused(tmp_path):
    with folder_lock(tmp_path / 'a' / 'b'):
        with pytest.raises(BusyError, match='at work in .*b: wait for it'):
            with folder_lock(tmp_path / 'a' / 'b', patience=.1):
                pass
        with folder_lock(tmp_path / 'a', patience=0):
            pass
    with folder_lock(tmp_path / 'a' / 'b', patience=0):
        pass


def test_a_killed_process_holds_nothing(tmp_path):
    with subprocess.Popen(
        [sys.executable, '-c', HOLD, str(tmp_path)],
            stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b'held\n'
        with pytest.raises(BusyError):
            with folder_lock(tmp_path, patience=0):
                pass
        process.send_signal(signal.SIGKILL)
    with folder_lock(tmp_path):
        pass


def test_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / 'file').touch()
    for folder in (tmp_path / 'file', tmp_path / 'file' / 'b'):
        with pytest.raises(OSError, match='no folder that can be written to'):
            with folder_lock(folder):
                pass
