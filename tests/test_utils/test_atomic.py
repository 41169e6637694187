# Copyright (c) mmktse authors. All rights reserved.
import errno

import pytest

from mmktse.utils import atomic_write, clear_partial_files


def test_new_content_appears_only_when_complete(tmp_path):
    path = tmp_path / 'folder' / 'file.txt'
    with atomic_write(path, 'w') as file:
        file.write('old')
    with atomic_write(path, 'w') as file:
        file.write('new')
        file.flush()
        assert path.read_text() == 'old'
    assert path.read_text() == 'new'
    assert [p.name for p in path.parent.iterdir()] == ['file.txt']


def test_failure_leaves_the_old_file(tmp_path):
    path = tmp_path / 'file.bin'
    path.write_bytes(b'old')
    with pytest.raises(KeyError):
        with atomic_write(path) as file:
            file.write(b'half')
            raise KeyError
    assert path.read_bytes() == b'old'
    assert list(tmp_path.iterdir()) == [path]


def test_clear_partial_files(tmp_path):
    leftover = tmp_path / 'a' / '.x.png.123.tmp'
    leftover.parent.mkdir()
    leftover.touch()
    (tmp_path / 'a' / 'x.png').touch()
    clear_partial_files(tmp_path)
    assert [p.name for p in leftover.parent.iterdir()] == ['x.png']


def test_full_disk_is_one_sentence(tmp_path):
    path = tmp_path / 'file.bin'
    path.write_bytes(b'old')
    with pytest.raises(OSError, match='file.bin was not written .No space'):
        with atomic_write(path) as file:
            file.write(b'half')
            raise OSError(errno.ENOSPC, 'No space left on device')
    assert path.read_bytes() == b'old'
    assert list(tmp_path.iterdir()) == [path]
