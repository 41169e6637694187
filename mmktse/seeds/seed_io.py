# Copyright (c) mmktse authors. All rights reserved.
import zipfile
from pathlib import Path
from typing import Tuple, Union

import numpy as np

from mmktse.utils import atomic_write


def save_seed(path: Union[str, Path], cam: np.ndarray,
              classes: np.ndarray) -> None:
    """Stores the CAMs of one image.

    The file is a compressed .npz with ``classes`` (K,) uint8 or uint16,
    ``cam`` (K, H, W) float16 and ``size`` (2,) = (H, W). It appears under its
    name only when it is complete.

    Args:
        path (str | Path): File to write, ending in .npz.
        cam (np.ndarray): Maps of the present classes (K, H, W) in [0, 1].
        classes (np.ndarray): Their indices (K,), without background.

    Raises:
        ValueError: If the shapes do not fit, or the maps are not finite.
    """
    cam = np.asarray(cam)
    classes = np.asarray(classes)
    if cam.ndim != 3 or classes.shape != cam.shape[:1]:
        raise ValueError(f'Seed {path}: maps of shape {cam.shape} do not fit '
                         f'classes of shape {classes.shape}.')
    if not np.isfinite(cam).all():
        raise ValueError(f'Seed {path}: the maps hold NaN or infinity.')
    kind = np.uint16 if classes.max(initial=0) > 255 else np.uint8
    with atomic_write(path) as file:
        np.savez_compressed(
            file,
            classes=classes.astype(kind),
            cam=cam.astype(np.float16),
            size=np.array(cam.shape[1:], np.int32))


def load_seed(path: Union[str, Path]) -> Tuple[np.ndarray, np.ndarray]:
    """Reads a seed file.

    Args:
        path (str | Path): File written by :func:`save_seed`.

    Returns:
        tuple[np.ndarray, np.ndarray]: CAMs (K, H, W) float32 in [0, 1] and
        class indices (K,) int64.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a seed file.
    """
    try:
        with np.load(path, allow_pickle=False) as seed:
            cam = seed['cam'].astype(np.float32)
            classes = seed['classes'].astype(np.int64)
            size = tuple(seed['size'])
    except FileNotFoundError as error:
        raise FileNotFoundError(f'There is no seed {path}; make it with '
                                'tools/make_pseudo_labels.py.') from error
    except (KeyError, ValueError, EOFError, AttributeError,
            zipfile.BadZipFile) as error:
        raise ValueError(f'{path} is not a seed file ({error}); delete it and '
                         'make it again.') from error
    if cam.shape != (len(classes), *size):
        raise ValueError(f'{path} is not a seed file: maps {cam.shape}, '
                         f'{len(classes)} classes, size {size}.')
    return cam, classes
