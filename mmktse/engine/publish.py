# Copyright (c) mmktse authors. All rights reserved.
import io
from hashlib import sha256
from pathlib import Path
from typing import Union

import torch
from mmengine.runner.checkpoint import get_torch_safe_globals
from torch import Tensor

from mmktse.utils import atomic_write
from mmktse.version import __version__


def read_checkpoint(path: Union[str, Path]) -> dict:
    """Reads a checkpoint of MMEngine to the CPU, running none of its code.

    Args:
        path (str | Path): File with a ``state_dict``.

    Returns:
        dict: Its content; ``meta`` is always there.

    Raises:
        ValueError: If it is damaged or no checkpoint.
    """
    # The logs among the content are objects of MMEngine and NumPy.
    known = torch.serialization.safe_globals(get_torch_safe_globals())
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


def publish(checkpoint: dict, prefix: Union[str, Path]) -> Path:
    """Writes what is needed to use a network, and nothing else.

    Args:
        checkpoint (dict): See :func:`read_checkpoint`.
        prefix (str | Path): Path of the file without hash and suffix.

    Returns:
        Path: ``PREFIX-<first 8 digits of the file's SHA-256>.pth``. The same
        checkpoint gets the same name.
    """
    source = checkpoint['meta']
    meta = dict(mmktse_version=__version__)
    meta.update({
        key: source[key]
        for key in ('epoch', 'iter', 'cfg') if key in source
    })
    dataset = source.get('dataset_meta') or {}
    if dataset.get('classes'):
        meta['dataset_meta'] = dict(classes=list(dataset['classes']))
        if dataset.get('palette'):
            # Perhaps of NumPy's integers, which are no plain values.
            meta['dataset_meta']['palette'] = [[int(x) for x in color]
                                               for color in dataset['palette']]
    buffer = io.BytesIO()
    torch.save(dict(meta=meta, state_dict=checkpoint['state_dict']), buffer)
    content = buffer.getvalue()
    out = Path(f'{prefix}-{sha256(content).hexdigest()[:8]}.pth')
    with atomic_write(out) as file:
        file.write(content)
    return out
