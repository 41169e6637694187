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

# Of a frame in a printed traceback: file, and the line of it that was run.
_FRAME = re.compile(r'^  File "([^"]+)".*\n(?:    (.*))?', re.MULTILINE)


def _origin(error: BaseException) -> Tuple[str, str, str]:
    """Where an error comes from, worker processes included.

    Returns:
        tuple[str, str, str]: File, its line of code, and the message.
    """
    message = str(error)
    cause = error.__cause__
    if 'in DataLoader worker' in message:
        # The worker's traceback is all that arrives.
        frames = _FRAME.findall(message)
        message = re.split(r'^[\w.]+: ', message, flags=re.MULTILINE)[-1]
    elif type(cause).__name__ == '_RemoteTraceback':
        frames = _FRAME.findall(str(cause))
    else:
        frames = [(frame.filename, frame.line)
                  for frame in traceback.extract_tb(error.__traceback__)]
    return (*(frames[-1] if frames else ('', '')), message)


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

    That is a ValueError or RuntimeError that a ``raise`` of this package
    made (in a worker process as well), an OSError in one of its lines, a file
    that is missing, an import that failed, a name in the config that nothing
    knows, or a full disk. Everything else deserves its traceback, such as
    what PyTorch or NumPy find wrong with a line of ours.

    Args:
        error (BaseException): What was raised.

    Returns:
        str | None: One line; None for an error to be shown in full.
    """
    file, line, message = _origin(error)
    ours = ()
    if os.path.abspath(file).startswith(_SOURCES):
        raised = line.startswith('raise ')
        ours = (OSError, ValueError, RuntimeError) if raised else OSError
    if isinstance(error,
                  (FileNotFoundError, ImportError)) or isinstance(error, ours):
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
