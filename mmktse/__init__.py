# Copyright (c) mmktse authors. All rights reserved.
"""Weakly supervised semantic segmentation from image-level labels."""
from importlib import import_module

from .version import __version__

# Import name -> (first release accepted, first release refused).
_REQUIRED = {
    'mmengine': ('0.10.0', '1.0.0'),
    'mmcv': ('2.1.0', '2.4.0'),
    'mmseg': ('1.2.0', '2.0.0'),
    'mmpretrain': ('1.2.0', '2.0.0'),
}


def _check_versions() -> None:
    """Names every OpenMMLab package that is absent or of another release.

    Raises:
        ImportError: One message that lists all problems and the remedy.
    """
    problems = []
    for name, (first, beyond) in _REQUIRED.items():
        try:
            version = import_module(name).__version__
        except ImportError as error:
            problems.append(f'{name} cannot be imported ({error})')
            continue
        from mmengine.utils import digit_version
        if not (digit_version(first) <= digit_version(version) <
                digit_version(beyond)):
            problems.append(
                f'{name} {version} is installed, >={first},<{beyond} needed')
    if problems:
        raise ImportError(
            'mmktse needs the OpenMMLab packages: ' + '; '.join(problems) +
            '. Install them in the repository with "pip install -e .[onedl]" '
            '(no compiler needed) or "pip install -e .[openmmlab]".')


_check_versions()

from . import registry  # noqa: E402
from .engine.checkpoint import read_weights_only  # noqa: E402

read_weights_only()

__all__ = ['__version__', 'registry']
