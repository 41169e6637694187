# Copyright (c) mmktse authors. All rights reserved.
from typing import NamedTuple, Optional, Sequence

import numpy as np
from matplotlib.figure import Figure
from mmcv.image import imrescale

from mmktse.seeds.label_io import VOID, color_map
from mmktse.utils import atomic_write, shrink_factor

VOID_COLOR = (224, 224, 192)
# The other stripe where void is hatched, and the width of both in pixels.
HATCH_COLOR = (48, 48, 48)
HATCH_WIDTH = 3
# Longest side of a panel, some two inches on the page.
MAX_SIDE = 512


class Panel(NamedTuple):
    """One picture of a page and the line of text above it."""
    image: Optional[np.ndarray]
    title: str = ''


def panel(image: np.ndarray, title: str = '') -> Panel:
    """A panel of a picture that may be large: a page keeps all of them."""
    factor = shrink_factor(image.shape[:2], MAX_SIDE)
    return Panel(
        image if factor == 1 else imrescale(
            image, factor, interpolation='area'), title)


def to_grey(image: np.ndarray) -> np.ndarray:
    """Grey version (H, W, 3) float64 of an RGB image (H, W, 3)."""
    return np.repeat(image.mean(-1, keepdims=True), 3, -1)


def overlay_label(image: np.ndarray,
                  label: np.ndarray,
                  palette: Optional[Sequence] = None,
                  alpha: float = .6,
                  hatch_void: bool = False) -> np.ndarray:
    """Paint the classes of a label map over the grey version of an image.

    Grey, so that no colour of the image passes for that of a class.

    Args:
        image (np.ndarray): (H, W, 3) uint8 RGB.
        label (np.ndarray): (H, W) uint8, 0 background (left clear), 255 void.
        palette (sequence, optional): RGB triples, background first. Defaults
            to the colours of PASCAL VOC.
        alpha (float): Opacity in [0, 1]. Defaults to 0.6.
        hatch_void (bool): Draw void as light and dark stripes, which no class
            looks like. Defaults to False: one pale colour.

    Returns:
        np.ndarray: (H, W, 3) uint8 RGB.
    """
    if image.shape[:2] != label.shape:
        raise ValueError(f'the label map has size {label.shape}, the image '
                         f'{image.shape[:2]}')
    colors = color_map(palette)
    colors[VOID] = VOID_COLOR
    opacity = np.where(label == 0, 0, alpha)[..., None]
    mixed = to_grey(image) * (1 - opacity) + colors[label] * opacity
    mixed = mixed.round().astype(np.uint8)
    if hatch_void:
        rows, columns = np.nonzero(label == VOID)
        stripe = (rows + columns) // HATCH_WIDTH % 2
        mixed[rows, columns] = np.array([VOID_COLOR, HATCH_COLOR])[stripe]
    return mixed


def draw_panels(figure, rows: Sequence[Sequence[Panel]]) -> None:
    """Draw rows of pictures into a figure or subfigure.

    Args:
        figure (Figure | SubFigure): Where to draw.
        rows (sequence): Rows of panels; short rows are left open at the end,
            a panel without image shows its text only.
    """
    columns = max(map(len, rows))
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for row, line in zip(rows, axes):
        for ax in line:
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        for panel, ax in zip(row, line):
            ax.set_title(panel.title, fontsize=8, pad=3)
            if panel.image is not None:
                ax.imshow(panel.image)


def page_size(rows: Sequence[Sequence[Panel]], cell: float = 2.) -> tuple:
    """Width and height in inches of a page with cells ``cell`` wide."""
    shapes = [
        p.image.shape for row in rows for p in row if p.image is not None
    ]
    ratio = float(np.mean([s[0] / s[1] for s in shapes])) if shapes else 1.
    height = len(rows) * (cell * min(max(ratio, .5), 1.2) + .3)
    return cell * max(map(len, rows)) + .3, height


def save_figure(figure: Figure, path: str) -> str:
    """Write a figure as PNG that appears only when complete.

    Returns:
        str: ``path``.
    """
    with atomic_write(path) as file:
        figure.savefig(file, format='png', dpi=figure.dpi)
    return path


def save_page(path: str,
              rows: Sequence[Sequence[Panel]],
              title: str = '') -> str:
    """Write rows of pictures as one PNG.

    Args:
        path (str): PNG to write; its folder is made.
        rows (sequence): Rows of :class:`Panel`, at least one.
        title (str): Heading. Defaults to none.

    Returns:
        str: ``path``.
    """
    if not rows:
        raise ValueError(f'nothing to show on the page {path}')
    width, height = page_size(rows)
    # Few panels would leave no room for the heading.
    figure = Figure((max(width, 5.), height + .5), 110, layout='constrained')
    figure.suptitle(title, fontsize=10)
    draw_panels(figure, rows)
    return save_figure(figure, path)
