# Copyright (c) mmktse authors. All rights reserved.
import errno
import os
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Iterator, Union

# What the system says where nothing can be written.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def atomic_write(path: Union[str, Path], mode: str = 'wb') -> Iterator[IO]:
    """Opens a file that appears under its name only when it is complete.

    The content goes to a hidden temporary name in the same folder, which is
    created if needed, and is renamed at the end. A process killed at any
    moment leaves the old file, or none, under ``path``.

    Args:
        path (str | Path): Final name.
        mode (str): 'wb' or 'w'. Defaults to 'wb'.

    Yields:
        IO: The open temporary file.

    Raises:
        OSError: If there is no room for it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The process id keeps two writers of one name apart.
    partial = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
    try:
        with open(
                partial, mode,
                encoding=None if 'b' in mode else 'utf-8') as file:
            yield file
        os.replace(partial, path)
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise OSError(f'{path} was not written ({error.strerror}): make room '
                      'and run the same command again.') from error
    finally:
        partial.unlink(missing_ok=True)


def clear_partial_files(folder: Union[str, Path]) -> None:
    """Removes what killed processes left behind in a folder tree."""
    for partial in Path(folder).rglob('.*.tmp'):
        partial.unlink(missing_ok=True)
