# Copyright (c) mmktse authors. All rights reserved.
"""Times labelling stored seeds with a dense CRF in a pool of processes.

Against one process, and against a CRF over all classes instead of the
present ones. The run fails if the pool gives other label maps.
"""
import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.registry import init_default_scope
from PIL import Image

import mmktse  # noqa: F401
from mmktse.datasets import ImageLevelDataset
from mmktse.engine.label_maker import PseudoLabelMaker
from mmktse.models.refiners import build_refiner
from mmktse.seeds import load_seed, save_seed

REFINER = dict(type='DenseCRFRefiner')


def smooth(rng, channels, size):
    """A random smooth map (channels, H, W) in [0, 1]."""
    coarse = torch.from_numpy(rng.random((1, channels, 6, 8), np.float32))
    return F.interpolate(coarse, size, mode='bicubic')[0].clamp(0, 1)


def make_data(root, args):
    """Images, tags and seeds with one to three classes."""
    rng = np.random.default_rng(0)
    (root / 'JPEGImages').mkdir()
    (root / 'seeds' / 'seeds').mkdir(parents=True)
    lines = []
    for number in range(args.images):
        image = smooth(rng, 3, args.size).permute(1, 2, 0) * 255
        Image.fromarray(image.byte().numpy()).save(root /
                                                   f'JPEGImages/{number}.jpg')
        count = rng.choice([1, 2, 3], p=[.59, .29, .12])
        classes = sorted(rng.choice(args.classes, count, replace=False))
        lines.append(' '.join(map(str, [number, *classes])))
        save_seed(root / f'seeds/seeds/{number}.npz',
                  smooth(rng, count, args.size), torch.tensor(classes))
    (root / 'labels.txt').write_text('\n'.join(lines))
    return ImageLevelDataset(
        str(root),
        'labels.txt',
        metainfo=dict(classes=[f'class{i}' for i in range(args.classes)]),
        pipeline=[])


def in_pool(dataset, root, workers):
    """Seconds, and the bytes of all label maps; 0 workers is this process."""
    with tempfile.TemporaryDirectory(dir=root) as folder:
        start = time.perf_counter()
        maker = PseudoLabelMaker(
            folder,
            dataset,
            dict(settings=dict(), info=dict()),
            refiner=REFINER,
            num_workers=workers,
            seed_folder=root / 'seeds')
        maker.start()
        maker.make_labels()
        seconds = time.perf_counter() - start
        labels = {
            path.name: path.read_bytes()
            for path in Path(folder, 'SegmentationClass').iterdir()
        }
    return seconds, labels


def all_classes(dataset, root, count):
    """Seconds for one image when every class competes, in one process."""
    refiner = build_refiner(REFINER)
    start = time.perf_counter()
    for index in range(count):
        info = dataset.get_data_info(index)
        cam, classes = load_seed(root / f'seeds/seeds/{info["img_id"]}.npz')
        scores = np.zeros(
            (len(dataset.metainfo['classes']) + 1, *cam.shape[1:]), np.float32)
        scores[0] = 0.3
        scores[classes + 1] = cam
        refiner(np.asarray(Image.open(info['img_path'])), scores).argmax(0)
    return (time.perf_counter() - start) / count


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--images', type=int, default=200)
    parser.add_argument(
        '--size', type=int, nargs=2, default=(375, 500), metavar=('H', 'W'))
    parser.add_argument('--classes', type=int, default=20)
    parser.add_argument(
        '--workers', type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument('--json', help='file to write the figures to')
    args = parser.parse_args()
    init_default_scope('mmktse')
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        dataset = make_data(root, args)
        every = all_classes(dataset, root, min(args.images, 4))
        one, want = in_pool(dataset, root, 0)
        pool, got = in_pool(dataset, root, args.workers)
        # What starting the processes takes, whatever the number of images.
        few = dataset.get_subset(args.workers)
        start = in_pool(few, root, args.workers)[0] - one / args.images
    if got != want:
        raise SystemExit('The pool made other label maps.')
    rows = dict(
        all_classes=1 / every,
        one_process=args.images / one,
        pool=args.images / pool,
        ratio=one / pool,
        ratio_per_core=one / pool / args.workers,
        start_seconds=start,
        ratio_per_core_once_started=one / (pool - start) / args.workers,
        ratio_all_classes=every * args.images / pool)
    for name, value in rows.items():
        unit = '' if 'ratio' in name or 'start' in name else ' images/s'
        print(f'{name:28} {value:8.2f}{unit}')
    if args.json:
        with open(args.json, 'w') as file:
            json.dump(dict(vars(args), torch=torch.__version__, **rows), file)


if __name__ == '__main__':
    main()
