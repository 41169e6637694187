# Copyright (c) mmktse authors. All rights reserved.
"""A seeded toy data set in VOC layout that shows the problem of WSSS.

An object is a large plain body with one small textured part. Only the part
tells the class: bodies share their colours and outlines between neighbouring
classes, and the background holds soft blobs of the same colours. A network
that learns from image-level labels therefore lights the part and misses the
body, whose border is nevertheless plain to see.
"""
import colorsys
import json
import os
import os.path as osp
from typing import List, Tuple

import cv2
import numpy as np
from PIL import Image

from mmktse.seeds.label_io import VOID, save_label_map
from mmktse.utils import atomic_write, clear_partial_files

CLASSES = ('stripes', 'dots', 'checker', 'rings', 'cross')
MARKER = 'synthetic.json'
# Raised whenever the same settings would give other bytes.
VERSION = 1
# Drawn at twice the size, then averaged down: smooth edges, as a lens gives.
_OVERSAMPLE = 2


def _smooth_noise(rng, shape, cells: int) -> np.ndarray:
    """Noise (h, w) in about [-1, 1] that varies over ``1 / cells`` of it."""
    coarse = rng.uniform(-1, 1, (cells + 1, cells + 1)).astype(np.float32)
    return cv2.resize(
        coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)


def _color(rng, hue: float, saturation, value) -> np.ndarray:
    """RGB float32 in 0..255 of a hue (taken modulo 1) and two ranges."""
    return np.float32(
        colorsys.hsv_to_rgb(hue % 1., rng.uniform(*saturation),
                            rng.uniform(*value))) * 255


def _body_hue(rng, label: int) -> float:
    """Hue of a body; the ranges of neighbouring classes overlap by half."""
    return (label + rng.uniform(-1, 1)) / len(CLASSES)


def _blob(rng, center, radius: float, shape) -> np.ndarray:
    """Coverage (h, w) in {0, 1} of a random ellipse or rounded polygon."""
    mask = np.zeros(shape, np.uint8)
    angle = rng.uniform(0, 2 * np.pi)
    aspect = rng.uniform(.65, 1.)
    if rng.random() < .5:
        theta = np.linspace(0, 2 * np.pi, 64, endpoint=False)
        points = np.stack([np.cos(theta), aspect * np.sin(theta)], 1)
        rounding = 0
    else:
        corners = rng.integers(3, 7)
        theta = 2 * np.pi * (np.arange(corners) +
                             rng.uniform(-.2, .2, corners)) / corners
        points = np.stack([np.cos(theta), aspect * np.sin(theta)], 1)
        rounding = .25
    rotation = np.array([[np.cos(angle), -np.sin(angle)],
                         [np.sin(angle), np.cos(angle)]])
    points = points @ rotation.T * radius * (1 - rounding) + center
    points = np.round(points).astype(np.int32)
    cv2.fillPoly(mask, [points], 1)
    if rounding:
        thickness = max(1, round(2 * radius * rounding))
        cv2.polylines(mask, [points], True, 1, thickness)
    return mask.astype(np.float32)


def _texture(rng, label: int, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Pattern (h, w) in {0, 1} of a class; u, v span -1..1 over the part."""
    if CLASSES[label] == 'stripes':
        pattern = np.sin(u * np.pi * 2.5) > 0
    elif CLASSES[label] == 'dots':
        pattern = np.cos(u * np.pi * 2) + np.cos(v * np.pi * 2) > .7
    elif CLASSES[label] == 'checker':
        pattern = (np.sin(u * np.pi * 1.8) > 0) ^ (np.sin(v * np.pi * 1.8) > 0)
    elif CLASSES[label] == 'rings':
        pattern = np.cos(np.hypot(u, v) * np.pi * 4) > 0
    else:
        pattern = np.minimum(np.abs(u), np.abs(v)) < .24
    return pattern.astype(np.float32)


def _paint(canvas, coverage, color) -> None:
    """Blend ``color`` over ``canvas`` (h, w, 3) in place."""
    coverage = coverage[..., None]
    canvas *= 1 - coverage
    canvas += coverage * color


def _background(rng, shape) -> np.ndarray:
    """Clutter: slow colour changes, soft body-coloured blobs, lines, grain."""
    height, width = shape
    base = _color(rng, rng.random(), (.1, .45), (.35, .75))
    canvas = np.empty((height, width, 3), np.float32)
    canvas[:] = base
    for cells, strength in ((3, 35), (7, 22), (24, 10)):
        canvas += _smooth_noise(rng, shape, cells)[..., None] * strength
        canvas += np.stack(
            [_smooth_noise(rng, shape, cells)
             for _ in range(3)], -1) * strength * .5
    short = min(shape)
    for _ in range(rng.integers(4, 9)):
        center = rng.uniform(0, 1, 2) * (width, height)
        radius = rng.uniform(.05, .22) * short
        soft = cv2.GaussianBlur(
            _blob(rng, center, radius, shape), (0, 0),
            radius * rng.uniform(.12, .3))
        hue = _body_hue(rng, rng.integers(len(CLASSES)))
        shade = 1 + .25 * _smooth_noise(rng, shape, 10)[..., None]
        _paint(canvas, soft * rng.uniform(.6, 1.),
               _color(rng, hue, (.35, .8), (.4, .85)) * shade)
    for _ in range(rng.integers(2, 6)):
        ends = np.round(rng.uniform(0, 1, (2, 2)) * (width, height))
        line = np.zeros(shape, np.uint8)
        cv2.line(line, *[tuple(map(int, end)) for end in ends], 1,
                 int(rng.integers(1,
                                  max(2, short // 64) + 1)))
        _paint(canvas, line.astype(np.float32) * .6, rng.uniform(30, 220, 3))
    return canvas


def _object(rng, label: int, center, radius: float, shape):
    """Body and part of one object.

    Returns:
        tuple: Coverage of the body (h, w), coverage of the part (h, w) and
        the object's pixels (h, w, 3).
    """
    grid_y, grid_x = np.mgrid[:shape[0], :shape[1]].astype(np.float32)
    body = _blob(rng, center, radius, shape)
    plain = _color(rng, _body_hue(rng, label), (.45, .85), (.5, .9))
    # A soft light from one side and a dark rim: a surface, not a sticker.
    light = rng.uniform(0, 2 * np.pi)
    slope = ((grid_x - center[0]) * np.cos(light) +
             (grid_y - center[1]) * np.sin(light)) / radius
    inner = cv2.GaussianBlur(body, (0, 0), max(1., radius * .05))
    shade = (1 + .15 * np.clip(slope, -1, 1)) * (.55 + .45 * inner)
    pixels = plain * shade[..., None]

    part_radius = radius * rng.uniform(.27, .33)
    direction = rng.uniform(0, 2 * np.pi)
    offset = radius * rng.uniform(.35, .6)
    x = center[0] + offset * np.cos(direction)
    y = center[1] + offset * np.sin(direction)
    turn = rng.uniform(0, 2 * np.pi)
    dx, dy = (grid_x - x) / part_radius, (grid_y - y) / part_radius
    u = dx * np.cos(turn) + dy * np.sin(turn)
    v = dy * np.cos(turn) - dx * np.sin(turn)
    part = (np.hypot(u, v) < 1).astype(np.float32)
    dark = _color(rng, rng.random(), (.2, .7), (.02, .2))
    bright = _color(rng, rng.random(), (0., .35), (.85, 1.))
    if rng.random() < .5:
        dark, bright = bright, dark
    pattern = _texture(rng, label, u, v)[..., None]
    pixels = np.where(part[..., None] > 0, dark + (bright - dark) * pattern,
                      pixels)
    return np.maximum(body, part), part, pixels


def _place(rng, num: int, ranges, shape):
    """Centres (x, y) and radii of ``num`` objects that overlap little."""
    while True:
        radii = rng.uniform(*ranges, num) * min(shape)
        margin = .9 * radii[:, None]
        centers = rng.uniform(margin, np.array(shape[::-1]) - margin)
        gaps = np.hypot(*(centers[:, None] - centers[None]).transpose(2, 0, 1))
        closest = .8 * (radii[:, None] + radii[None])
        if np.all((gaps >= closest) | np.eye(num, dtype=bool)):
            return list(zip(centers, radii))


def _draw(rng, labels: List[int], shape) -> Tuple[np.ndarray, np.ndarray]:
    """Draw one image.

    Args:
        rng (np.random.Generator): Source of every choice.
        labels (list[int]): Distinct classes, one object each.
        shape (tuple[int, int]): Height and width in pixels.

    Returns:
        tuple: Image (H, W, 3) uint8 RGB and label map (H, W) uint8 with a
        void border of about a pixel where object and ground mix.
    """
    big = (shape[0] * _OVERSAMPLE, shape[1] * _OVERSAMPLE)
    ranges = {1: (.34, .46), 2: (.25, .34), 3: (.2, .26)}[len(labels)]
    ground = _background(rng, big)
    while True:
        canvas = ground.copy()
        owner = np.zeros(big, np.int64)
        whole, parts = [], []
        places = _place(rng, len(labels), ranges, big)
        for order, (label, place) in enumerate(zip(labels, places), 1):
            coverage, part, pixels = _object(rng, label, *place, big)
            _paint(canvas, coverage, pixels)
            owner[coverage > 0] = order
            whole.append(coverage.sum())
            parts.append(part > 0)
        # Later objects may hide a little of earlier ones, never a part.
        seen = np.bincount(owner.ravel(), minlength=len(labels) + 1)[1:]
        if all(
                np.all(owner[part] == order)
                for order, part in enumerate(parts, 1)) and np.all(
                    seen > .75 * np.array(whole)):
            break
    size = shape[::-1]
    canvas += rng.normal(0, 9, big)[..., None]
    image = cv2.resize(canvas, size, interpolation=cv2.INTER_AREA)
    image += rng.normal(0, 3, image.shape)
    shares = np.stack([
        cv2.resize(
            (owner == order).astype(np.float32),
            size,
            interpolation=cv2.INTER_AREA) for order in range(len(labels) + 1)
    ])
    label_map = np.array([0, *(label + 1 for label in labels)],
                         np.uint8)[shares.argmax(0)]
    label_map[shares.max(0) < 1] = VOID
    return np.clip(image + .5, 0, 255).astype(np.uint8), label_map


def _choose_labels(rng, index: int) -> List[int]:
    """55 % of the images hold one class, 35 % two and 10 % three."""
    count = 1 + int(np.searchsorted([.55, .9], rng.random()))
    # The first class goes round, so that no class is rare in a small set.
    first = index % len(CLASSES)
    others = [c for c in range(len(CLASSES)) if c != first]
    labels = [first, *rng.choice(others, count - 1, replace=False)]
    return [int(c) for c in rng.permutation(labels)]


def _write_lines(path: str, lines) -> None:
    with atomic_write(path, 'w') as f:
        f.write('\n'.join(lines) + '\n')


def is_complete(root: str, **settings) -> bool:
    """Whether ``root`` holds a finished set of exactly these settings.

    Raises:
        ValueError: ``root`` holds images that this generator did not make, or
            a finished set of other settings.
    """
    marker = osp.join(root, MARKER)
    if osp.isfile(marker):
        with open(marker, encoding='utf-8') as f:
            found = json.load(f)
        if found == settings:
            return True
        raise ValueError(
            f'{root} already holds a synthetic data set of other settings '
            f'({found} instead of {settings}): delete the folder, or choose '
            'another one.')
    images = osp.join(root, 'JPEGImages')
    if osp.isdir(images):
        foreign = sorted(
            name for name in os.listdir(images)
            if not name.startswith(('syn_', '.')))
        if foreign:
            raise ValueError(
                f'{root} holds other images ({foreign[0]} and '
                f'{len(foreign) - 1} more in JPEGImages): choose another '
                'folder for the synthetic data set.')
    return False


def generate_synthetic_voc(root: str,
                           num_train: int = 240,
                           num_val: int = 60,
                           size: int = 128,
                           seed: int = 0) -> str:
    """Generate the embedded data set, unless it is there already.

    The folder gets ``JPEGImages/ID.jpg``, ``SegmentationClass/ID.png``
    (palette PNG: 0 background, 1.. the classes, 255 void),
    ``ImageSets/{train,val}.txt`` (ids), ``ImageSets/{train,val}_labels.txt``
    (id and names of the classes present), ``classes.txt`` and, written last,
    ``synthetic.json``. Without that marker a new call starts again, so a
    killed run leaves nothing that is taken for finished. An image depends on
    ``seed``, its split and its number only.

    Args:
        root (str): Folder to fill; made if absent.
        num_train (int): Images to train on. Defaults to 240.
        num_val (int): Images to measure on. Defaults to 60.
        size (int): Long side in pixels, at least 48; the short side is
            between 3/4 of it and all of it. Defaults to 128.
        seed (int): Random seed, not negative. Defaults to 0.

    Returns:
        str: ``root``.

    Raises:
        ValueError: Bad numbers, or ``root`` holds something else.
    """
    if num_train < 1 or num_val < 1 or size < 48 or seed < 0:
        raise ValueError(
            'num_train and num_val must be at least 1, size at least 48 and '
            f'seed not negative, got {num_train}, {num_val}, {size}, {seed}')
    settings = dict(
        version=VERSION,
        num_train=num_train,
        num_val=num_val,
        size=size,
        seed=seed)
    if is_complete(root, **settings):
        return root
    if osp.isdir(root):
        clear_partial_files(root)
    nums = dict(train=num_train, val=num_val)
    for split_no, (split, num) in enumerate(nums.items()):
        ids, lines = [], []
        for index in range(num):
            rng = np.random.default_rng([seed, split_no, index])
            labels = _choose_labels(rng, index)
            short = int(round(size * rng.uniform(.75, 1)))
            shape = (size, short) if rng.random() < .5 else (short, size)
            image, label_map = _draw(rng, labels, shape)
            img_id = f'syn_{split}_{index:05d}'
            with atomic_write(osp.join(root, 'JPEGImages',
                                       f'{img_id}.jpg')) as f:
                Image.fromarray(image).save(f, format='JPEG', quality=92)
            save_label_map(
                osp.join(root, 'SegmentationClass', f'{img_id}.png'),
                label_map)
            ids.append(img_id)
            names = [CLASSES[c] for c in sorted(labels)]
            lines.append(' '.join([img_id, *names]))
        for name, content in ((split, ids), (f'{split}_labels', lines)):
            _write_lines(osp.join(root, 'ImageSets', f'{name}.txt'), content)
    _write_lines(osp.join(root, 'classes.txt'), CLASSES)
    _write_lines(osp.join(root, MARKER), [json.dumps(settings, indent=2)])
    return root
