# Copyright (c) mmktse authors. All rights reserved.
"""Sections of a report that show images."""
from html import escape
from typing import Iterator, List, Optional, Sequence

import numpy as np
from PIL import Image

from mmktse.datasets.transforms import read_image
from mmktse.evaluation.seed_metric import read_truth
from mmktse.seeds.label_io import VOID, load_label_map
from mmktse.seeds.manifest import label_path, seed_path
from .cam_overlay import overlay_cam, overlay_scores
from .page import overlay_label
from .report_html import (PERCENT, Html, fit, format_number, format_percent,
                          ignored_name, links, paragraph, picture)
from .report_run import Run
from .report_statistics import Example, read_seed

# Ground in place of a photograph.
_GREY = 230
_GROUPS = dict(
    worst='Worst',
    best='Best',
    smallest='Smallest share of the image',
    largest='Largest share of the image',
    random='At random')


def gallery(run: Run) -> Iterator[Html]:
    """For each class, images that say how it fares."""
    measured = run.statistics.num_measured > 0
    kinds = (('worst', 'best') if measured else
             ('smallest', 'largest', 'random'))
    yield paragraph(
        'The worst and the best images of each class by the IoU of the class '
        'in the image, of all images whose label map or mask shows it; of '
        'equal ones those with the largest object.' if measured else
        'For each class the images in which it takes up least and most, and '
        'some at random.')
    yield paragraph(
        'CAMs run from dark violet (0) over green to dark red (1); ignored '
        'pixels are hatched.', 'muted')
    yield links([(f'class-{c}', run.swatch(c))
                 for c in range(1, len(run.names))], 'Classes and colours',
                [ignored_name()])
    for c in range(1, len(run.names)):
        yield Html(f'<h3 id="class-{c}">{run.swatch(c)}</h3>\n')
        shown: List[Example] = []
        for kind in kinds:
            examples = run.statistics.galleries[kind][c - 1].examples(shown)
            shown += examples
            if examples:
                yield Html(f'<h4>{_GROUPS[kind]}</h4>\n')
                yield from cases(run, examples, c)
        if not shown:
            yield paragraph('No image shows this class.', 'muted')


def cases(run: Run,
          examples: Sequence[Example],
          c: Optional[int] = None) -> Iterator[Html]:
    """Images with what the run made of them.

    Args:
        run (Run): The run.
        examples (sequence[Example]): The images.
        c (int, optional): Class that they stand for, 0 being background.
            Defaults to None: all.
    """
    wide = '' if run.hide_images else ' wide'
    yield Html(f'<div class="cases{wide}">\n')
    for example in examples:
        sample = run.dataset.get_data_info(example.index)
        words = ', '.join(f'{key} {format_number(value, unit=PERCENT)}'
                          for key, value in example.figures.items())
        tags = ', '.join(run.names[tag + 1]
                         for tag in sample.get('gt_label', ()))
        if tags:
            words += f'; tagged {tags}'
        yield Html('<article class="case">\n<p><strong>'
                   f'{escape(sample["img_id"])}</strong> {escape(words)}</p>\n'
                   '<div class="pictures">\n')
        yield from pictures(run, sample, c)
        yield Html('</div>\n</article>\n')
    yield Html('</div>\n')


def pictures(run: Run, sample: dict, c: Optional[int]) -> Iterator[Html]:
    """Image, CAM, label map and truth of one image, as far as there are."""
    img_id = sample['img_id']
    label = load_label_map(label_path(run.folder, img_id))
    size = fit(label.shape, run.max_width)
    ground = np.full((*size[::-1], 3), _GREY, np.uint8)
    if not run.hide_images:
        image = read_image(sample['img_path'])
        if image.shape[:2] != label.shape:
            raise ValueError(
                f'Image {sample["img_path"]} has height x width '
                f'{image.shape[0]}x{image.shape[1]}, its label map '
                f'{label.shape[0]}x{label.shape[1]}: make the labels again.')
        ground = np.array(Image.fromarray(image).resize(size, Image.BOX))
        yield picture(ground, 'image', f'Photograph {img_id}')
    if run.seed_folder is not None and seed_path(run.seed_folder,
                                                 img_id).is_file():
        yield cam_picture(run, img_id, label, ground, c)
    yield label_picture(run, label, ground, 'label', img_id)
    truth = read_truth(sample, label.shape, len(run.names) - 1, required=False)
    if truth is not None and not run.hide_images:
        yield label_picture(run, truth, ground, 'truth', img_id)


def cam_picture(run: Run, img_id: str, label: np.ndarray, ground: np.ndarray,
                c: Optional[int]) -> Html:
    """CAM of a class over its image, or those of all classes."""
    cam, classes = read_seed(run.seed_folder, img_id, label)
    size = ground.shape[1::-1]
    small = [
        np.array(Image.fromarray(each).resize(size, Image.BILINEAR))
        for each in cam
    ]
    if c is None:
        mixed = overlay_scores(ground, np.reshape(small, (-1, *size[::-1])),
                               classes, run.palette)
        caption = f'CAMs, maximum {cam.max(initial=0):.2f}'
        alt = f'CAMs of all classes in {img_id}'
    elif c - 1 in classes:
        place = classes.tolist().index(c - 1)
        mixed = overlay_cam(ground, small[place])
        caption = f'CAM, maximum {cam[place].max():.2f}'
        alt = f'CAM of {run.names[c]} in {img_id}'
    else:
        mixed, caption = ground, 'no CAM of this class'
        alt = f'No CAM of {run.names[c]} in {img_id}'
    return picture(mixed, caption, alt)


def label_picture(run: Run, label: np.ndarray, ground: np.ndarray, what: str,
                  img_id: str) -> Html:
    """A label map over its image."""
    size = ground.shape[1::-1]
    small = np.array(Image.fromarray(label).resize(size, Image.NEAREST))
    values, counts = np.unique(label, return_counts=True)
    shares = ', '.join(f'{"ignored" if value == VOID else run.names[value]} '
                       f'{format_percent(count, label.size)}'
                       for value, count in zip(values.tolist(), counts))
    return picture(
        overlay_label(ground, small, run.palette, hatch_void=True), what,
        f'{what.capitalize()} of {img_id}: {shares}', run.hide_images)


def unusual(run: Run) -> Iterator[Html]:
    """Images without any class, and those with much ignored."""
    statistics = run.statistics
    unlabelled = statistics.unlabelled.examples()
    words = (f'{statistics.num_unlabelled:,} of {statistics.num_images:,} '
             'images have no pixel of any class.')
    if statistics.num_unlabelled > len(unlabelled):
        words += f' The first {len(unlabelled)}:'
    yield from _unusual_group(run, 'Without any label', words, unlabelled)
    ignored = statistics.ignored.examples()
    words = ('No pixel of any image is ignored.'
             if not ignored else 'The images with the largest ignored share.')
    yield from _unusual_group(run, 'Most ignored', words, ignored)


def _unusual_group(run: Run, title: str, words: str,
                   examples: Sequence[Example]) -> Iterator[Html]:
    yield Html(f'<h3>{title}</h3>\n')
    yield paragraph(words)
    if examples:
        yield from cases(run, examples)
