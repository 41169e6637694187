# Copyright (c) mmktse authors. All rights reserved.
import zipfile
from pathlib import Path
from typing import Callable, Optional, Union

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from torch import Tensor


def _method(owner: type, name: str) -> Callable:
    """Stands for getattr, with which a file could reach everything."""
    if owner is not HistoryBuffer or name not in ('min', 'max', 'mean',
                                                  'current'):
        raise ValueError(f'{owner}.{name} has no place in a checkpoint')
    return getattr(owner, name)


# What MMEngine's logs in a checkpoint are made of, beside plain values.
_multiarray = (np._core if hasattr(np, '_core') else np.core).multiarray
_KNOWN = [
    HistoryBuffer, (_method, 'builtins.getattr'), slice, np.ndarray, np.dtype,
    _multiarray._reconstruct, _multiarray.scalar,
    *(type(np.dtype(kind)) for kind in (np.float64, np.int64, np.uint32))
]


def latest_checkpoint(work_dir: Union[str, Path]) -> Optional[str]:
    """Newest complete checkpoint in a work directory.

    MMEngine removes an old checkpoint and writes the new one in place, and
    says in ``last_checkpoint`` what it wrote only afterwards. A run killed in
    between leaves a name without a file, or a torn file; both are passed
    over here.

    Args:
        work_dir (str | Path): Folder of a training.

    Returns:
        str | None: Path; None if there is no complete checkpoint.
    """
    files = sorted(
        Path(work_dir).glob('*.pth'),
        key=lambda file: file.stat().st_mtime_ns,
        reverse=True)
    # The zip directory is what torch.save writes last.
    return next((str(file) for file in files if zipfile.is_zipfile(file)),
                None)


def read_checkpoint(path: Union[str, Path]) -> dict:
    """Reads a checkpoint of MMEngine to the CPU, running none of its code.

    Args:
        path (str | Path): File with a ``state_dict``.

    Returns:
        dict: Its content; ``meta`` is always there.

    Raises:
        ValueError: If it is damaged or no checkpoint.
    """
    known = torch.serialization.safe_globals(_KNOWN)
    with open(path, 'rb') as file, known:
        try:
            checkpoint = torch.load(
                file, map_location='cpu', weights_only=True)
        # Damaged bytes make the unpickler fail in every possible way.
        except Exception as error:
            raise ValueError(
                f'{path} is damaged, or no checkpoint: give a file that a '
                'training wrote.') from error
    state = isinstance(checkpoint, dict) and checkpoint.get('state_dict')
    if not isinstance(state, dict) or not state or not all(
            isinstance(x, Tensor) for x in state.values()):
        raise ValueError(f'{path} is no checkpoint, as it has no state_dict '
                         'of tensors: give a file that a training wrote.')
    checkpoint['meta'] = checkpoint.get('meta') or dict()
    return checkpoint
