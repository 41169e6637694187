# Copyright (c) mmktse authors. All rights reserved.
"""Times labelling stored seeds with a dense CRF in a pool of processes.

Against one process, and against a CRF over all classes instead of the
present ones. The run fails if the pool gives other label maps.
"""
import tempfile
from pathlib import Path

import common
from label_making import make_labels, straightforward
from mmengine.registry import init_default_scope

TARGET = .9
REFINER = dict(type='DenseCRFRefiner')


def in_pool(dataset, root, workers):
    """Seconds, and the bytes of all label maps; 0 workers is this process."""
    with tempfile.TemporaryDirectory(dir=root) as folder:
        _, seconds = common.timed(make_labels, dataset, root, Path(folder),
                                  workers, REFINER)
        labels = {
            path.name: path.read_bytes()
            for path in Path(folder, 'SegmentationClass').iterdir()
        }
    return seconds, labels


def measure(args):
    """Compares and times all ways; rows of the table."""
    init_default_scope('mmktse')
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        dataset = common.make_dataset(root, args.images, args.size,
                                      args.classes)
        some = dataset.get_subset(range(min(args.images, 4)))
        _, every = common.timed(straightforward, some, root, root / 'all',
                                REFINER)
        one, want = in_pool(dataset, root, 0)
        pool, got = in_pool(dataset, root, args.workers)
        # What starting the processes takes, whatever the number of images.
        few = dataset.get_subset(range(args.workers))
        start = in_pool(few, root, args.workers)[0] - one / args.images
    if got != want:
        raise SystemExit('The pool made other label maps.')
    what = f'dense CRF, {args.workers} processes'
    against = f'one process times {args.workers}'
    rate = args.images / one
    return [
        common.Row(what, against, args.images / (pool - start),
                   rate * args.workers, 'images/s', TARGET),
        common.Row(f'{what}, {start:.1f} s of their start included', against,
                   args.images / pool, rate * args.workers, 'images/s'),
        common.Row('dense CRF, present classes, one process',
                   f'all {args.classes} classes compete', rate,
                   len(some) / every, 'images/s')
    ]


def parse_args(argv=None):
    # One thread, as each process of the pool has.
    parser = common.make_parser(__doc__, repeats=0, threads=1)
    parser.add_argument('--images', type=int, default=200)
    parser.add_argument(
        '--size', type=common.image_size, default=(375, 500), metavar='HxW')
    parser.add_argument('--classes', type=int, default=20)
    parser.add_argument('--workers', type=int, default=common.num_cores())
    return parser.parse_args(argv)


def main(argv=None):
    common.report(parse_args(argv), measure)


if __name__ == '__main__':
    main()
