# Copyright (c) mmktse authors. All rights reserved.
import os
import subprocess
from pathlib import Path
from typing import Union

import torch

from mmktse.version import __version__


def code_version(root: Union[str, Path]) -> str:
    """Release and, in a git checkout, commit of the code.

    Args:
        root (str | Path): Folder of the code.

    Returns:
        str: For example '0.1.0 (31f8297a02)', with a '+' behind the commit
        where tracked files were changed since.
    """

    def git(*words: str) -> str:
        done = subprocess.run(['git', '-C', str(root), *words],
                              capture_output=True,
                              text=True)
        return done.stdout.strip()

    try:
        # The folder may lie in a checkout of something else.
        if not (Path(root) / '.git').exists():
            return __version__
        commit = git('rev-parse', '--short=10', 'HEAD')
        changed = '+' if git('status', '--porcelain', '-uno') else ''
    except OSError:  # no git
        return __version__
    return f'{__version__} ({commit}{changed})' if commit else __version__


def hardware(processes: int = 1) -> str:
    """What some processes compute on, such as '4 x NVIDIA A100'.

    Args:
        processes (int): Their number; each takes one GPU, if there are any.
    """
    if torch.cuda.is_available():
        name = torch.cuda.get_device_name(0)
        return f'{min(processes, torch.cuda.device_count())} x {name}'
    cores = len(os.sched_getaffinity(0))
    name = 'CPU'
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
        name = next(
            line.split(':', 1)[1].strip() for line in lines
            if line.startswith('model name'))
    except (OSError, StopIteration):  # not Linux, or not x86
        pass
    return f'{cores} cores of {name}'
