# Copyright (c) mmktse authors. All rights reserved.
import functools
import os
import re
import sys
import traceback
from pathlib import Path
from typing import Callable, Optional, Tuple

from mmktse.utils.atomic import NO_ROOM
from .dist import leave_distributed

_ROOT = Path(__file__).resolve().parents[2]
_SOURCES = tuple(f'{_ROOT / folder}{os.sep}'
                 for folder in ('mmktse', 'tools', 'projects'))


def _origin(error: BaseException) -> Tuple[str, str]:
    """File that raised an error and its message, worker processes included."""
    message = str(error)
    cause = error.__cause__
    if 'in DataLoader worker' in message:
        # The worker's traceback is all that arrives.
        files = re.findall(r'^  File "([^"]+)"', message, re.MULTILINE)
        message = re.split(r'^[\w.]+: ', message, flags=re.MULTILINE)[-1]
    elif type(cause).__name__ == '_RemoteTraceback':
        files = re.findall(r'^  File "([^"]+)"', str(cause), re.MULTILINE)
    else:
        files = [f.filename for f in traceback.extract_tb(error.__traceback__)]
    return (files[-1] if files else ''), message


def _config_message(error: BaseException) -> Optional[str]:
    """The sentence about a name in a config that nothing knows."""
    names = [f.name for f in traceback.extract_tb(error.__traceback__)]
    message = str(error.args[0]) if error.args else ''
    if ('build_from_cfg' in names
            and names[-1] in ('build_from_cfg', '__init__') and re.search(
                r'__init__\(\) (got an unexpected|missing)|'
                r'is not in the .+ registry', message)):
        return (f'The config does not fit: {message.split(". ")[0]}: correct '
                'it in the config or in --cfg-options.')
    return None


def user_message(error: BaseException) -> Optional[str]:
    """The sentence for the user, where an error is no programming error.

    That is a ValueError, RuntimeError or OSError that this package raised
    itself (in a worker process as well), a file that is missing, an import
    that failed, a name in the config that nothing knows, or a full disk.
    Everything else deserves its traceback.

    Args:
        error (BaseException): What was raised.

    Returns:
        str | None: One line; None for an error to be shown in full.
    """
    file, message = _origin(error)
    ours = os.path.abspath(file).startswith(_SOURCES)
    if isinstance(error,
                  (FileNotFoundError, ImportError)) or (ours and isinstance(
                      error, (ValueError, RuntimeError, OSError))):
        return ' '.join(message.split())
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return (f'A file was not written ({error.strerror}): make room and '
                'run the same command again; a training takes --resume.')
    return _config_message(error)


def one_sentence_errors(main: Callable[[], None]) -> Callable[[], None]:
    """Lets a tool end with one sentence and exit code 1 on bad input.

    A tool that succeeds leaves its process group, see
    :func:`~mmktse.engine.dist.leave_distributed`.

    ``MMKTSE_TRACEBACK=1`` in the environment shows the traceback instead.

    Args:
        main (Callable): The tool's main function.
    """

    @functools.wraps(main)
    def run() -> None:
        try:
            main()
        except Exception as error:
            message = user_message(error)
            if message is None or os.environ.get('MMKTSE_TRACEBACK'):
                raise
            sys.exit(f'error: {message}')
        leave_distributed()

    return run
