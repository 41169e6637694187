# Copyright (c) mmktse authors. All rights reserved.
from typing import Optional, Sequence

import matplotlib
import numpy as np

from mmktse.datasets.transforms import read_image
from mmktse.evaluation.seed_metric import read_truth
from mmktse.seeds.label_io import color_map
from .page import overlay_label, panel, save_page, to_grey
from .run_source import RunSource


def overlay_cam(image: np.ndarray,
                cam: np.ndarray,
                alpha: float = .5) -> np.ndarray:
    """Lay one class's map as heat over an image.

    Args:
        image (np.ndarray): (H, W, 3) uint8 RGB.
        cam (np.ndarray): (H, W) in [0, 1].
        alpha (float): Opacity of the heat in [0, 1]. Defaults to 0.5.

    Returns:
        np.ndarray: (H, W, 3) uint8 RGB.
    """
    if image.shape[:2] != cam.shape:
        raise ValueError(
            f'the CAM has size {cam.shape}, the image {image.shape[:2]}')
    heat = matplotlib.colormaps['turbo'](np.clip(cam, 0, 1))[..., :3] * 255
    return (image * (1 - alpha) + heat * alpha).round().astype(np.uint8)


def overlay_scores(image: np.ndarray,
                   cam: np.ndarray,
                   classes: np.ndarray,
                   palette: Optional[Sequence] = None) -> np.ndarray:
    """Tint an image by the strongest class, as strongly as it scores.

    Args:
        image (np.ndarray): (H, W, 3) uint8 RGB.
        cam (np.ndarray): (K, H, W) in [0, 1].
        classes (np.ndarray): (K,) class indices without background.
        palette (sequence, optional): RGB triples, background first.

    Returns:
        np.ndarray: (H, W, 3) uint8 RGB; grey where no class scores.
    """
    if image.shape[:2] != cam.shape[1:]:
        raise ValueError(
            f'the CAM has size {cam.shape[1:]}, the image {image.shape[:2]}')
    grey = to_grey(image)
    if len(classes) == 0:
        return grey.round().astype(np.uint8)
    colors = color_map(palette)[np.asarray(classes) + 1][cam.argmax(0)]
    opacity = .85 * np.clip(cam.max(0), 0, 1)[..., None]
    mixed = grey * (1 - opacity) + colors * opacity
    return mixed.round().astype(np.uint8)


def save_cam_page(path: str,
                  samples: Sequence[dict],
                  seeds: RunSource,
                  classes: Sequence[str],
                  palette: Optional[Sequence] = None,
                  labels: Optional[RunSource] = None,
                  title: str = '') -> str:
    """Write a page: image | heat of each present class | labels | truth.

    Args:
        path (str): PNG to write.
        samples (sequence[dict]): With 'img_id', 'img_path' and, optionally,
            'seg_map_path'.
        seeds (RunSource): Folder of CAMs.
        classes (sequence[str]): Names without background.
        palette (sequence, optional): RGB triples, background first.
        labels (RunSource, optional): Label maps made of these CAMs.
        title (str): Heading.

    Returns:
        str: ``path``.
    """
    rows = []
    for sample in samples:
        img_id = sample['img_id']
        image = read_image(sample['img_path'])
        cam, present = seeds.cam(img_id)
        row = [panel(image, img_id)]
        if labels is not None:
            row.append(
                panel(
                    overlay_label(image, labels.label(img_id), palette),
                    labels.title))
        truth = read_truth(sample, required=False)
        if truth is not None:
            row.append(panel(overlay_label(image, truth, palette), 'truth'))
        # At the end: their number differs from image to image.
        row += [
            panel(
                overlay_cam(image, each), f'{classes[c]} ({each.max():.2f})')
            for each, c in zip(cam, present)
        ]
        rows.append(row)
    return save_page(path, rows, title)
