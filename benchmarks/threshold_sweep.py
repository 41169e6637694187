# Copyright (c) mmktse authors. All rights reserved.
"""Times the choice of a threshold: one pass against one pass per threshold.

Seeds and masks are synthetic and written to a temporary folder. The
straightforward side follows the protocol of KTSE: 20 thresholds from 0.10 to
0.29, and for each of them all files are read, labelled and compared again.
The run fails if the two sides differ in a single bit of an IoU.
"""
import multiprocessing
import statistics
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import common
import cv2
import numpy as np
import torch

from mmktse.evaluation import count_seeds
from mmktse.seeds import VOID, load_label_map, save_label_map, save_seed

TARGET = 20
# Of the published protocol.
THRESHOLDS = np.arange(10, 30) / 100


class Listing:
    """Images with seed (.npz and .npy) and mask in one folder."""

    def __init__(self, folder, num_classes):
        self.metainfo = dict(classes=tuple(map(str, range(num_classes))))
        self.folder = folder
        self.samples = []

    def __len__(self):
        return len(self.samples)

    def get_data_info(self, index):
        return self.samples[index]


def make_data(folder, args):
    """Smooth maps and masks that agree in part, as CAMs and objects do.

    59 % of the images show one class, 29 % two, 12 % three, as in VOC.
    """
    rng = np.random.default_rng(0)
    listing = Listing(folder, args.classes)
    height, width = args.size

    def smooth(count):
        coarse = rng.random((count, height // 32 + 2, width // 32 + 2),
                            np.float32)
        return np.stack([
            cv2.resize(x, (width, height), interpolation=cv2.INTER_CUBIC)
            for x in coarse
        ])

    for i in range(args.images):
        count = 1 + (i * 7 % 100 >= 59) + (i * 7 % 100 >= 88)
        # More do not fit into a mask.
        classes = rng.permutation(min(args.classes, 254))[:count]
        objects = smooth(count)
        top = objects.max(0)
        truth = np.where(top > .6, classes[objects.argmax(0)] + 1, 0)
        truth[abs(top - .6) < .01] = VOID
        # Half as high as the objects, so that the best threshold lies inside.
        cam = (objects - .4 + .3 * (smooth(count) - .5)).clip(0, 1)
        name = f'{i:06d}'
        save_seed(folder / f'{name}.npz', cam, classes)
        # The same values, uncompressed and without pickle.
        np.save(folder / f'{name}.npy',
                cam.astype(np.float16).astype(np.float32))
        save_label_map(folder / f'{name}.png', truth)
        listing.samples.append(
            dict(
                img_id=name,
                classes=classes,
                seg_map_path=str(folder / f'{name}.png')))
    return listing


def confusion_matrix(folder, num_classes, threshold, samples):
    """Reads all files and labels them at one threshold: (C, C), truth first.

    C counts the background.
    """
    size = num_classes + 1
    confusion = np.zeros((size, size), np.int64)
    for sample in samples:
        cam = np.load(folder / f'{sample["img_id"]}.npy')
        truth = load_label_map(sample['seg_map_path'])
        background = np.full_like(cam[:1], threshold)
        values = np.concatenate([[0], sample['classes'] + 1])
        label = values[np.concatenate([background, cam]).argmax(0)]
        keep = truth != VOID
        pairs = truth[keep].astype(np.int64) * size + label[keep]
        confusion += np.bincount(
            pairs, minlength=size * size).reshape(size, size)
    return confusion


def many_passes(listing, workers, thresholds=THRESHOLDS):
    """One pass per threshold; 'IoU' (C, T) and 'mIoU' (T,) in percent."""
    shares = [listing.samples[i::workers] for i in range(workers)]
    pool = nullcontext()
    if workers > 1:
        pool = ProcessPoolExecutor(workers,
                                   multiprocessing.get_context('spawn'),
                                   torch.set_num_threads, (1, ))
    matrices = []
    with pool:
        run = pool.map if workers > 1 else map
        for threshold in thresholds:
            work = partial(confusion_matrix, listing.folder,
                           len(listing.metainfo['classes']), threshold)
            matrices.append(sum(run(work, shares)))
    confusion = np.stack(matrices, -1)
    hit = np.einsum('iit->it', confusion)
    union = confusion.sum(0) + confusion.sum(1) - hit
    with np.errstate(invalid='ignore'):
        iou = 100 * (hit / union)
    return dict(IoU=iou, mIoU=np.nanmean(iou, 0))


def one_pass(listing, workers, thresholds=THRESHOLDS):
    """What the package does, at the 101 thresholds of its default."""
    rates = count_seeds(listing.folder, listing, num_workers=workers).rates()
    places = np.searchsorted(rates['threshold'], thresholds)
    assert np.array_equal(rates['threshold'][places], thresholds)
    return {key: rates[key][..., places] for key in ('IoU', 'mIoU')}


def measure(args):
    """Compares and times both sides; rows of the table."""
    thresholds = np.arange(101) / 100 if args.all_thresholds else THRESHOLDS
    ours, other = [], []
    with tempfile.TemporaryDirectory() as folder:
        listing = make_data(Path(folder), args)
        for _ in range(args.repeats):
            sides = (one_pass, ours), (many_passes, other)
            results = []
            for side, seconds in sides:
                result, taken = common.timed(side, listing, args.workers,
                                             thresholds)
                results.append(result)
                seconds.append(taken)
            got, want = results
            for key, value in want.items():
                if not np.array_equal(got[key], value, equal_nan=True):
                    sys.exit(f'Not equal: {key} differs by up to '
                             f'{np.nanmax(abs(got[key] - value))}.')
    best = int(want['mIoU'].argmax())
    if want['mIoU'][best] == want['mIoU'].min():
        sys.exit('The thresholds are all alike: the seeds test nothing.')
    print(f'Equal IoU at {len(thresholds)} thresholds, best '
          f'{thresholds[best]:.2f}, mIoU {want["mIoU"][best]:.2f}')
    return [
        common.Row(
            f'threshold sweep, {args.images} images, {args.workers} '
            'processes',
            f'one pass for each of {len(thresholds)} thresholds',
            statistics.median(ours),
            statistics.median(other),
            target=TARGET)
    ]


def parse_args(argv=None):
    parser = common.make_parser(__doc__, repeats=1, threads=1)
    parser.add_argument(
        '--images', type=int, default=200, help='VOC train has 1464')
    parser.add_argument(
        '--size', type=common.image_size, default=(375, 500), metavar='HxW')
    parser.add_argument('--classes', type=int, default=20)
    parser.add_argument(
        '--all-thresholds',
        action='store_true',
        help='a pass for each of the 101 thresholds that ours measures, '
        'instead of the 20 published ones')
    parser.add_argument(
        '--workers',
        type=int,
        default=1,
        help='processes of both sides; ours starts no second one for fewer '
        'than 512 images')
    return parser.parse_args(argv)


def main(argv=None):
    common.report(parse_args(argv), measure)


if __name__ == '__main__':
    main()
