# Copyright (c) mmktse authors. All rights reserved.
"""Compares the images that the training loader gives with what a step takes.

A step of KTSE takes two images for each pair. The loader is that of the
config with its number of workers; nothing else runs meanwhile, so that on few
cores both want the same ones.
"""
import tempfile
from pathlib import Path

import common
import ktse_step
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner


def load_epoch(cfg, root, batch, workers):
    """Loads all images of a folder as pairs; number of images."""
    loader = cfg.train_dataloader
    loader.update(batch_size=batch, num_workers=workers)
    loader.dataset.dataset.update(data_root=root, ann_file='labels.txt')
    return sum(
        len(data['inputs']) + len(data['partner_inputs'])
        for data in Runner.build_dataloader(loader, seed=0))


def measure(args):
    """Times both sides; rows of the table."""
    cfg = Config.fromfile(args.config)
    init_default_scope('mmktse')
    height, width = args.size
    with tempfile.TemporaryDirectory() as folder:
        common.make_dataset(
            Path(folder), args.images, args.size, args.classes, seeds=False)
        images, seconds = common.timed(load_epoch, cfg, folder, args.batch,
                                       args.workers)
    model = ktse_step.build_models(args)[0]
    batch = model.data_preprocessor(
        ktse_step.make_batch(args.classes, args), True)
    step = ktse_step.Bench(model, batch, stages=False)
    need = common.medians(dict(step=step.step), args.repeats)['step']
    return [
        common.Row(
            f'training loader, {height}x{width} JPEG, {args.workers} workers',
            'what a step takes in this time', images / seconds,
            2 * args.batch / need, 'images/s', 1)
    ]


def parse_args(argv=None):
    parser = common.make_parser(__doc__)
    parser.add_argument(
        '--config', default=common.SMALL_CONFIG, help='of a custom data set')
    parser.add_argument('--images', type=int, default=512)
    parser.add_argument(
        '--size', type=common.image_size, default=(375, 500), metavar='HxW')
    parser.add_argument('--classes', type=int, default=20)
    parser.add_argument('--batch', type=int, default=16, help='pairs')
    parser.add_argument('--crop', type=int, default=224, help='of the step')
    parser.add_argument('--workers', type=int, default=common.num_cores())
    parser.add_argument('--device', choices=['cpu', 'cuda'], default='cpu')
    return parser.parse_args(argv)


def main(argv=None):
    common.report(parse_args(argv), measure)


if __name__ == '__main__':
    main()
