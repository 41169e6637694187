# Copyright (c) mmktse authors. All rights reserved.
import functools
import os
import re
import sys
import traceback
from typing import Callable, Optional

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Raised on purpose and explained by their message when they come from here.
_EXPLAINED = (ValueError, TypeError, KeyError, LookupError, OSError,
              ImportError, RuntimeError)


def user_message(error: BaseException) -> Optional[str]:
    """The sentence for the user, where an error is no programming error.

    That is an error that a function of this package raised itself (in a
    worker of a data loader as well), a file that is missing, or an import
    that failed. Everything else deserves its traceback.

    Args:
        error (BaseException): What was raised.

    Returns:
        str | None: One sentence; None for an error to be shown in full.
    """
    message = str(error)
    if isinstance(error, KeyError) and error.args:
        message = str(error.args[0])
    worker = re.search(
        r'^Caught \w+ in DataLoader worker.*?'
        r'\nOriginal Traceback.*\n  File "([^"]+)", line \d+[^\n]*\n'
        r'(?: +[^\n]*\n)*[\w.]*(?:Error|Exception): (.*)$', message, re.DOTALL)
    if worker:
        origin, message = worker.groups()
    else:
        frames = traceback.extract_tb(error.__traceback__)
        origin = frames[-1].filename if frames else ''
    ours = os.path.abspath(origin).startswith(_PACKAGE + os.sep)
    if isinstance(error, _EXPLAINED) and ours or isinstance(
            error, (FileNotFoundError, ImportError)):
        return ' '.join(message.split())
    return None


def one_sentence_errors(main: Callable[[], None]) -> Callable[[], None]:
    """Lets a tool end with one sentence and exit code 1 on bad input.

    ``MMKTSE_TRACEBACK=1`` in the environment shows the traceback as well.

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

    return run
