# Copyright (c) mmktse authors. All rights reserved.
"""Times making label maps from stored seeds, with a refiner.

Against one process that refines the scores of all classes and takes their
argmax; PyTorch may use all cores there. The run fails if the label maps
differ in more pixels than rounding decides.
"""
import tempfile
from pathlib import Path

import common
import numpy as np
from mmengine.registry import init_default_scope

import mmktse  # noqa: F401
from mmktse.datasets.transforms import read_image
from mmktse.engine.label_maker import PseudoLabelMaker
from mmktse.models.refiners import build_refiner
from mmktse.seeds import load_label_map, load_seed, save_label_map

TARGET = 2
THRESHOLD = .3
# Of pixels at an argmax that rounding decides.
TIE_SHARE = 1e-4


def make_labels(dataset, root: Path, out: Path, workers: int, refiner: dict):
    """Labels a folder of seeds; 0 workers is this process."""
    maker = PseudoLabelMaker(
        out,
        dataset,
        dict(settings=dict(), info=dict()),
        threshold=THRESHOLD,
        refiner=refiner,
        num_workers=workers,
        seed_folder=root / 'seeds')
    maker.start()
    maker.make_labels()


def straightforward(dataset, root: Path, out: Path, refiner: dict):
    """Labels image by image, every class competing."""
    refiner = build_refiner(refiner)
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        cam, classes = load_seed(root / f'seeds/seeds/{info["img_id"]}.npz')
        scores = np.zeros(
            (len(dataset.metainfo['classes']) + 1, *cam.shape[1:]), np.float32)
        scores[0] = THRESHOLD
        scores[classes + 1] = cam
        image = read_image(info['img_path'], cam.shape[1:])
        save_label_map(out / f'SegmentationClass/{info["img_id"]}.png',
                       refiner(image, scores).argmax(0))


def measure(args):
    """Compares and times both sides; rows of the table."""
    init_default_scope('mmktse')
    refiner = dict(type=args.refiner)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        dataset = common.make_dataset(root, args.images, args.size,
                                      args.classes)
        some = dataset.get_subset(range(min(args.images, 12)))
        seconds = common.timed(make_labels, dataset, root, root / 'ours',
                               args.workers, refiner)[1]
        every = common.timed(straightforward, some, root, root / 'other',
                             refiner)[1]
        share = np.mean([
            load_label_map(path)
            != load_label_map(root / f'ours/SegmentationClass/{path.name}')
            for path in (root / 'other/SegmentationClass').iterdir()
        ])
    print(f'share of pixels that differ: {share:.1e}')
    if share > TIE_SHARE:
        raise SystemExit(f'{share:.1e} of the label pixels differ.')
    return [
        common.Row(
            f'label making, {args.refiner}, {args.images} images, '
            f'{args.workers} workers and their start',
            f'one process, scores of all {args.classes} classes',
            args.images / seconds,
            len(some) / every, 'images/s', TARGET)
    ]


def parse_args(argv=None):
    parser = common.make_parser(__doc__, repeats=0)
    parser.add_argument('--images', type=int, default=200)
    parser.add_argument(
        '--size', type=common.image_size, default=(375, 500), metavar='HxW')
    parser.add_argument('--classes', type=int, default=20)
    parser.add_argument('--workers', type=int, default=common.num_cores())
    parser.add_argument('--refiner', default='PARRefiner')
    return parser.parse_args(argv)


def main(argv=None):
    common.report(parse_args(argv), measure)


if __name__ == '__main__':
    main()
