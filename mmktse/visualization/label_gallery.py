# Copyright (c) mmktse authors. All rights reserved.
from typing import List, Optional, Sequence

import numpy as np

from mmktse.datasets.transforms import read_image
from mmktse.evaluation.seed_metric import read_truth
from .cam_overlay import overlay_scores
from .page import Panel, overlay_label, panel, save_page
from .run_source import RunSource, image_iou


def gallery_row(sample: dict,
                runs: Sequence[RunSource],
                palette: Optional[Sequence] = None,
                hide_image: bool = False) -> List[Panel]:
    """Image | truth | every run, label maps with their IoU.

    Args:
        sample (dict): With 'img_id', 'img_path' and, optionally,
            'seg_map_path'.
        runs (sequence[RunSource]): Runs to show; an image that a run does
            not have is left open.
        palette (sequence, optional): RGB triples, background first.
        hide_image (bool): Show the runs alone, on an empty ground, for pages
            about images that may not be passed on. Defaults to False.

    Returns:
        list[Panel]: ``2 + len(runs)`` panels, or ``len(runs)``.
    """
    img_id = sample['img_id']
    image = read_image(sample['img_path'])
    truth = read_truth(sample, required=False)
    row = []
    if hide_image:
        image = np.full_like(image, 230)
    else:
        row.append(panel(image, img_id))
        row.append(
            Panel(None, 'no truth') if truth is
            None else panel(overlay_label(image, truth, palette), 'truth'))
    for run in runs:
        if not run.has(img_id):
            row.append(Panel(None, f'{run.title}: none'))
        elif run.show == 'cam':
            row.append(
                panel(
                    overlay_scores(image, *run.cam(img_id), palette),
                    run.title))
        else:
            label = run.label(img_id)
            iou = '' if truth is None else f' {image_iou(label, truth):.1f}'
            row.append(
                panel(overlay_label(image, label, palette), run.title + iou))
    return row


def save_label_gallery(path: str,
                       samples: Sequence[dict],
                       runs: Sequence[RunSource],
                       palette: Optional[Sequence] = None,
                       title: str = '',
                       hide_images: bool = False) -> str:
    """Write a page on which several runs stand side by side.

    The number after a run's name is the mean IoU of that image, in percent.

    Args:
        path (str): PNG to write.
        samples (sequence[dict]): See :func:`gallery_row`; one row each.
        runs (sequence[RunSource]): One column each, at least one.
        palette (sequence, optional): RGB triples, background first.
        title (str): Heading.
        hide_images (bool): See :func:`gallery_row`.

    Returns:
        str: ``path``.
    """
    check_runs(samples, runs)
    rows = [
        gallery_row(sample, runs, palette, hide_images) for sample in samples
    ]
    return save_page(path, rows, title)


def check_runs(samples: Sequence[dict], runs: Sequence[RunSource]) -> None:
    """Refuse a run that has none of the images: its folder must be wrong."""
    if not runs:
        raise ValueError('name at least one run to show')
    for run in runs:
        if samples and not any(run.has(s['img_id']) for s in samples):
            raise FileNotFoundError(
                f'The run "{run.title}" has none of the {len(samples)} images '
                f'(looked for {run.path(samples[0]["img_id"])}).')
