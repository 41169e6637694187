# Copyright (c) mmktse authors. All rights reserved.
import argparse
import hashlib
import os.path as osp
from collections import Counter

from mmktse.datasets.image_files import without_suffix
from mmktse.datasets.image_labels import read_labels, read_lines
from mmktse.engine.errors import one_sentence_errors
from mmktse.utils import atomic_write


def read_list(path):
    """Reads images and maybe their classes.

    Returns:
        dict[str, list[str]]: Classes by id, in the order of the file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If an id is repeated, or does not fit into a list.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(f'There is no list {path}.')
    images = {}
    if path.lower().endswith(('.csv', '.json')):
        labels, problems = read_labels(path)
        problems += [
            f'{entry.place}: id {img_id!r} has a blank, which a list of ids '
            'cannot hold; rename the image.'
            for img_id, entry in labels.items() if len(img_id.split()) != 1
        ]
        if problems:
            raise ValueError(problems[0])
        return {img_id: list(entry.tags) for img_id, entry in labels.items()}
    for line, place in read_lines(path):
        img_id, *tags = line.split()
        img_id = without_suffix(img_id)
        if img_id in images:
            raise ValueError(f'{place}: id {img_id} is there already; remove '
                             'one of them.')
        images[img_id] = tags
    return images


def hold_out(images, share, seed=0):
    """Draws the images of a held-out part.

    Every class comes in, the rarest first; the remaining places are drawn
    from all images alike. An image stays if it is the last one outside that
    shows one of its classes. The order of the images does not matter.

    Args:
        images (dict[str, list[str]]): Classes by id.
        share (float): Part of the images to draw, in (0, 1).
        seed (int): Seed of the draw. Defaults to 0.

    Returns:
        set[str]: The drawn ids.
    """
    number = min(max(1, round(share * len(images))), len(images) - 1)
    # A hash, so that the place of an image depends on no other image.
    order = sorted(
        images,
        key=lambda name: hashlib.sha256(f'{seed} {name}'.encode()).digest())
    left = Counter(tag for name in images for tag in set(images[name]))
    classes = sorted(left, key=lambda tag: (left[tag], tag))
    drawn, shown = set(), set()

    def draw(candidates):
        for name in candidates:
            tags = set(images[name])
            if name not in drawn and all(left[tag] > 1 for tag in tags):
                drawn.add(name)
                shown.update(tags)
                left.subtract(tags)
                break

    for tag in classes:
        if tag not in shown and len(drawn) < number:
            draw(name for name in order if tag in images[name])
    for name in order:
        if len(drawn) < number:
            draw([name])
    return drawn


def parse_args():
    parser = argparse.ArgumentParser(
        description='Split a list of images, with or without classes, into a '
        'held-out part, for example to choose a threshold on, and the rest')
    parser.add_argument(
        'list',
        help='text file of lines "ID class class ..." or "ID"; or .csv or '
        '.json labels, of which the ids are written')
    parser.add_argument('held_out', help='list to write: the held-out part')
    parser.add_argument('rest', help='list to write: all other images')
    parser.add_argument(
        '--share',
        type=float,
        default=.1,
        help='part of the images to hold out (default: 0.1)')
    parser.add_argument(
        '--seed', type=int, default=0, help='of the draw (default: 0)')
    args = parser.parse_args()
    if not 0 < args.share < 1:
        parser.error('--share must lie between 0 and 1')
    paths = {osp.realpath(p) for p in (args.list, args.held_out, args.rest)}
    if len(paths) < 3:
        parser.error('list, held-out part and rest must be three files')
    return args


@one_sentence_errors
def main():
    args = parse_args()
    images = read_list(args.list)
    if len(images) < 2:
        raise ValueError(f'{args.list} lists {len(images)} images; there is '
                         'nothing to split.')
    drawn = hold_out(images, args.share, args.seed)
    parts = [(args.held_out, [i for i in images if i in drawn]),
             (args.rest, [i for i in images if i not in drawn])]
    # Class names of the others may have blanks.
    tagged = not args.list.lower().endswith(('.csv', '.json'))
    for path, names in parts:
        with atomic_write(path, 'w') as file:
            file.writelines(
                f'{" ".join([i, *(images[i] if tagged else [])])}\n'
                for i in names)
        print(f'{len(names)} of {len(images)} images in {path}')
    classes = {tag for tags in images.values() for tag in tags}
    lacking = sorted(classes - {tag for i in drawn for tag in images[i]})
    if lacking:
        print(f'No image of {", ".join(lacking)} could be held out')


if __name__ == '__main__':
    main()
