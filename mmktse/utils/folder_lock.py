# Copyright (c) mmktse authors. All rights reserved.
import fcntl
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Union

LOCK = '.lock'


class BusyError(RuntimeError):
    """Another process is at work in the folder."""


@contextmanager
def folder_lock(folder: Union[str, Path],
                patience: float = 10.) -> Iterator[int]:
    """Keeps a second run out of a folder, which is made if needed.

    The system frees the lock when the process ends, however it ends.

    Args:
        folder (str | Path): Folder that one run alone may write to.
        patience (float): Seconds to wait for another process, which the
            workers of a killed run may need to end. Defaults to 10.

    Yields:
        int: File descriptor that holds the lock, also where a child process
        inherits it.

    Raises:
        BusyError: If another process is at work in the folder.
        OSError: If the folder cannot be made or written to.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        file = os.open(Path(folder) / LOCK, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise OSError(f'{folder} is no folder that can be written to '
                      f'({error.strerror}): choose another one.') from error
    try:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise BusyError(
                        f'Another process is at work in {folder}: wait for '
                        'it, or choose another folder.') from None
                time.sleep(.1)
        yield file
    finally:
        os.close(file)
