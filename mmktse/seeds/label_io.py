# Copyright (c) mmktse authors. All rights reserved.
from pathlib import Path
from typing import Optional, Sequence, Tuple, Union

import numpy as np
from PIL import Image, UnidentifiedImageError

from mmktse.utils import atomic_write

VOID = 255
# What is left beside background and void.
MAX_CLASSES = 254


def check_num_classes(classes: Sequence[str], place: str) -> None:
    """Refuses more classes than a label map can hold.

    Args:
        classes (Sequence[str]): Names, without background.
        place (str): Where they come from, for the message.

    Raises:
        ValueError: One sentence.
    """
    if len(classes) > MAX_CLASSES:
        raise ValueError(
            f'{place} has {len(classes)} classes, but a label map of 8 bits '
            f'holds at most {MAX_CLASSES}, beside background and void: merge '
            'or leave out some.')


def color_map(palette: Optional[Sequence[Sequence[int]]] = None) -> np.ndarray:
    """Colours of the 256 values of a label map.

    Args:
        palette (Sequence, optional): RGB colours, background first. Values
            beyond it get the colours of PASCAL VOC.

    Returns:
        np.ndarray: (256, 3) uint8.
    """
    value = np.arange(256)
    bits = (value[:, None] >> np.arange(8)) & 1
    colors = np.zeros((256, 3), np.uint8)
    # VOC spreads the bits of a value over the three channels, highest first.
    for bit in range(8):
        colors[:, bit % 3] |= (bits[:, bit] << (7 - bit // 3)).astype(np.uint8)
    if palette is not None:
        colors[:len(palette)] = palette
    return colors


def save_label_map(path: Union[str, Path],
                   label: np.ndarray,
                   palette: Optional[Sequence[Sequence[int]]] = None) -> None:
    """Writes a label map as palette PNG.

    Args:
        path (str | Path): File to write; appears only when complete.
        label (np.ndarray): (H, W) of integers, 0 background, c + 1 class c,
            255 void.
        palette (Sequence, optional): RGB colours, background first.

    Raises:
        ValueError: If a value does not fit into 8 bits.
    """
    low, high = label.min(initial=0), label.max(initial=0)
    if low < 0 or high > VOID:
        raise ValueError(f'Label map {path} would hold the value '
                         f'{low if low < 0 else high}, which is not in 0 to '
                         f'{VOID}.')
    image = Image.fromarray(np.ascontiguousarray(label, np.uint8))
    image.putpalette(color_map(palette).tobytes())
    with atomic_write(path) as file:
        image.save(file, format='PNG')


def save_confidence(path: Union[str, Path], mask: np.ndarray) -> None:
    """Writes a mask as grey PNG, 255 where it is true and 0 elsewhere.

    Args:
        path (str | Path): File to write; appears only when complete.
        mask (np.ndarray): (H, W) bool.
    """
    with atomic_write(path) as file:
        Image.fromarray(mask.astype(np.uint8) * 255).save(file, format='PNG')


def load_label_map(path: Union[str, Path],
                   size: Optional[Tuple[int, int]] = None,
                   num_classes: Optional[int] = None) -> np.ndarray:
    """Reads a label map.

    Args:
        path (str | Path): PNG with palette or grey values.
        size (tuple[int, int], optional): Expected (H, W).
        num_classes (int, optional): Number of classes without background;
            larger values than this, 255 aside, are refused.

    Returns:
        np.ndarray: (H, W) uint8.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no label map, of another size, or holds other
            values.
    """
    try:
        label = np.array(Image.open(path))
    except FileNotFoundError as error:
        raise FileNotFoundError(f'There is no mask {path}.') from error
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError(f'Mask {path} cannot be read: {error}.') from error
    check_label_map(label, path, size, num_classes)
    return label.astype(np.uint8)


def check_label_map(label: np.ndarray,
                    path: Union[str, Path],
                    size: Optional[Tuple[int, int]] = None,
                    num_classes: Optional[int] = None) -> None:
    """Refuses what is no label map.

    Args:
        label (np.ndarray): Content of the file.
        path (str | Path): Its name, for the message.
        size (tuple[int, int], optional): See :func:`load_label_map`.
        num_classes (int, optional): See :func:`load_label_map`.

    Raises:
        ValueError: One sentence.
    """
    if label.ndim != 2:
        raise ValueError(f'Mask {path} has shape {label.shape}; a label map '
                         'has one channel that holds class indices.')
    if size is not None and label.shape != tuple(size):
        raise ValueError(
            f'Mask {path} has height x width {label.shape[0]}x'
            f'{label.shape[1]}, its image or map {size[0]}x{size[1]}.')
    if num_classes is not None:
        highest = label[label != VOID].max(initial=0)
        if highest > num_classes:
            raise ValueError(f'Mask {path} holds the value {highest}, but '
                             f'there are only {num_classes} classes and the '
                             'background: correct it, or the classes.')
