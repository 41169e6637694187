# Copyright (c) mmktse authors. All rights reserved.
"""Chooses the background threshold of pseudo labels on a split with masks.

The stored seeds are read once, for all thresholds together.
"""
import argparse
import json
import os.path as osp

import numpy as np

from mmktse.datasets.image_files import without_suffix
from mmktse.datasets.image_labels import read_lines
from mmktse.engine.errors import one_sentence_errors
from mmktse.engine.label_maker import stored_origin
from mmktse.evaluation import choose_threshold
from mmktse.utils import atomic_write
from mmktse.visualization.arguments import add_dataset_arguments
from mmktse.visualization.config_dataset import build_dataset

# Points of mIoU within which thresholds count as equally good.
FLAT = .5


def threshold_range(text: str) -> np.ndarray:
    """Argument type of ``LO:HI:STEP``, both ends included."""
    try:
        low, high, step = map(float, text.split(':'))
        if not (0 <= low <= high <= 1 and step > 0):
            raise ValueError
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'"{text}" must read LO:HI:STEP with 0 <= LO <= HI <= 1, such as '
            '0.10:0.29:0.01') from None
    count = int((high - low) / step + 1e-6) + 1
    # As if each were written out: 0.3 and not 0.30000000000000004.
    return np.round(low + step * np.arange(count), 10)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config of the CAM network')
    parser.add_argument(
        'seed_folder', help='pseudo-label folder whose seeds are measured')
    parser.add_argument(
        '--split',
        metavar='ID_FILE',
        help='list of the images to choose on: a file whose lines start with '
        'an id (default: all images of the data set)')
    parser.add_argument(
        '--out', help='JSON to write, for make_pseudo_labels.py --threshold')
    parser.add_argument(
        '--thresholds',
        type=threshold_range,
        metavar='LO:HI:STEP',
        help='default: 0.00:1.00:0.01')
    parser.add_argument(
        '--workers', type=int, default=2, help='processes (default: 2)')
    add_dataset_arguments(parser)
    return parser.parse_args()


def select_split(dataset, id_file: str):
    """Restricts a data set to the images of a list.

    Args:
        dataset (ImageLevelDataset): The images.
        id_file (str): Text file whose lines start with an id; its path, or
            that relative to the root of the data.

    Returns:
        ImageLevelDataset: Those images alone, in the order of the data set.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it lists no image, or one that is not in the data set.
    """
    inside = osp.join(dataset.data_root or '', id_file)
    path = id_file if osp.isfile(id_file) else inside
    if not osp.isfile(path):
        places = ' or '.join(dict.fromkeys([id_file, inside]))
        raise FileNotFoundError(
            f'There is no list {places}: write one id per line, or split a '
            'list with tools/dataset_converters/split_ids.py.')
    wanted = {without_suffix(line.split()[0]) for line, _ in read_lines(path)}
    if not wanted:
        raise ValueError(f'{path} lists no image; write one id per line.')
    known = {
        dataset.get_data_info(i)['img_id']: i
        for i in range(len(dataset))
    }
    foreign = sorted(wanted - set(known))
    if foreign:
        raise ValueError(
            f'{len(foreign)} of the {len(wanted)} images of {path}, such as '
            f'{foreign[0]}, are not in the data set of the config '
            f'({dataset.source}): correct the list, or give another one with '
            '--cfg-options test_dataloader.dataset.id_file=FILE.')
    return dataset.get_subset(
        [i for name, i in known.items() if name in wanted])


def report(choice: dict, neighbours: int = 2) -> str:
    """Table around the best threshold, and how flat the optimum is."""
    curve = choice['curve']
    miou = curve['mIoU']
    best = curve['threshold'].index(choice['threshold'])
    first, last = best, best
    while first > 0 and miou[first - 1] >= miou[best] - FLAT:
        first -= 1
    while last + 1 < len(miou) and miou[last + 1] >= miou[best] - FLAT:
        last += 1
    lines = ['  threshold    mIoU  precision  recall']
    for i in range(
            max(best - neighbours, 0), min(best + neighbours + 1, len(miou))):
        lines.append(f'{"*" if i == best else " "} '
                     f'{curve["threshold"][i]:9.3g}{miou[i]:8.2f}'
                     f'{curve["precision"][i]:11.2f}{curve["recall"][i]:8.2f}')
    lines.append(
        f'Threshold {choice["threshold"]:.3g}, {choice["source"]}: mIoU '
        f'{miou[best]:.2f}; within {FLAT} points of it from '
        f'{curve["threshold"][first]:.3g} to {curve["threshold"][last]:.3g}')
    if len(miou) > 1 and best in (0, len(miou) - 1):
        lines.append('The best one is at the end of the range: others beyond '
                     'it may be better, see --thresholds')
    return '\n'.join(lines)


@one_sentence_errors
def main() -> None:
    args = parse_args()
    dataset = build_dataset(args.config, args.cfg_options, args.loader)
    split = args.split or dataset.source
    if args.split:
        dataset = select_split(dataset, args.split)
    choice = choose_threshold(args.seed_folder, dataset, split,
                              args.thresholds, args.workers)
    choice['seeds'] = stored_origin(args.seed_folder)['settings']
    print(report(choice))
    if args.out:
        with atomic_write(args.out, 'w') as file:
            json.dump(choice, file, indent=1)
        print(f'Wrote {args.out}')


if __name__ == '__main__':
    main()
