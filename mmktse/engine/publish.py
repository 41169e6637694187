# Copyright (c) mmktse authors. All rights reserved.
import io
from hashlib import sha256
from pathlib import Path
from typing import Union

import torch

from mmktse.utils import atomic_write
from mmktse.version import __version__


def publish(checkpoint: dict, prefix: Union[str, Path]) -> Path:
    """Writes what is needed to use a network, and nothing else.

    Args:
        checkpoint (dict): See
            :func:`~mmktse.engine.checkpoint.read_checkpoint`.
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
