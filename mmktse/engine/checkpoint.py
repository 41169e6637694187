# Copyright (c) mmktse authors. All rights reserved.
import functools
import os
import os.path as osp
import zipfile
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Callable, Optional, Union

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader
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
    *(type(np.dtype(kind))
      for kind in '?' + np.typecodes['AllInteger'] + np.typecodes['Float'])
]

# Wins over what a caller of torch.load asks for.
_FORCE = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD'


def latest_checkpoint(work_dir: Union[str, Path]) -> Optional[str]:
    """Newest complete checkpoint in a work directory.

    MMEngine removes an old checkpoint and writes the new one in place, and
    says in ``last_checkpoint`` what it wrote only afterwards. A run killed in
    between leaves a name without a file, or a torn file; both are passed
    over here, and so are the weights alone that ``save_best`` keeps.

    Args:
        work_dir (str | Path): Folder of a training.

    Returns:
        str | None: Path; None if there is no complete checkpoint.
    """
    folder = Path(work_dir)
    files = sorted([*folder.glob('epoch_*.pth'), *folder.glob('iter_*.pth')],
                   key=lambda file: file.stat().st_mtime_ns,
                   reverse=True)
    # The zip directory is what torch.save writes last.
    return next((str(file) for file in files if zipfile.is_zipfile(file)),
                None)


def load_from_local(path: Union[str, Path], map_location: Any = None) -> Any:
    """Reads what ``torch.save`` wrote, running none of its code.

    Takes the place of MMEngine's loader of that name, which runs the code of
    a file that is not plain.

    Args:
        path (str | Path): File.
        map_location (Any): See :func:`torch.load`. Defaults to None.

    Returns:
        Any: Its content: tensors, plain values and MMEngine's logs.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, or holds anything else.
    """
    path = osp.expanduser(path)
    if not osp.isfile(path):
        raise FileNotFoundError(f'There is no checkpoint {path}.')
    known = torch.serialization.safe_globals(_KNOWN)
    with open(path, 'rb') as file, known:
        try:
            return torch.load(
                file, map_location=map_location, weights_only=True)
        # Damaged bytes make the unpickler fail in every possible way.
        except Exception as error:
            raise ValueError(
                f'{path} is damaged, or no checkpoint, or holds code, which '
                'is not run: give a file that a training wrote.') from error


def _without_code(loader: Callable) -> Callable:
    """The same loader of MMEngine, with which PyTorch runs no code."""

    @functools.wraps(loader)  # MMEngine logs the name
    def load(path: str, map_location: Any = None) -> Any:
        before = os.environ.get(_FORCE)
        os.environ[_FORCE] = '1'
        try:
            with torch.serialization.safe_globals(_KNOWN):
                return loader(path, map_location)
        except UnpicklingError as error:
            raise ValueError(f'{path} holds code, which is not run: give a '
                             'checkpoint of tensors.') from error
        finally:
            del os.environ[_FORCE]
            if before is not None:
                os.environ[_FORCE] = before

    return load


def read_weights_only() -> None:
    """Makes all of MMEngine's ways to a checkpoint refuse code.

    These are ``load_from``, ``resume``, ``init_cfg`` and
    ``mmengine.runner.load_checkpoint``, from files as from addresses. Called
    when mmktse is imported.
    """
    for prefix, loader in list(CheckpointLoader._schemes.items()):
        CheckpointLoader.register_scheme(
            prefix,
            _without_code(loader) if prefix else load_from_local,
            force=True)


def read_checkpoint(path: Union[str, Path]) -> dict:
    """Reads a checkpoint of MMEngine to the CPU, running none of its code.

    Args:
        path (str | Path): File with a ``state_dict``.

    Returns:
        dict: Its content; ``meta`` is always there.

    Raises:
        ValueError: If it is damaged or no checkpoint.
    """
    checkpoint = load_from_local(path, 'cpu')
    state = isinstance(checkpoint, dict) and checkpoint.get('state_dict')
    if not isinstance(state, dict) or not state or not all(
            isinstance(x, Tensor) for x in state.values()):
        raise ValueError(f'{path} is no checkpoint, as it has no state_dict '
                         'of tensors: give a file that a training wrote.')
    checkpoint['meta'] = checkpoint.get('meta') or dict()
    return checkpoint
