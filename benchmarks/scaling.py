# Copyright (c) mmktse authors. All rights reserved.
"""How cost grows with images, classes and processes, as Markdown tables.

Everything is small and each process has one thread: the tables show slopes,
not speeds.
"""
import argparse
import json
import tempfile
from pathlib import Path

import cam_inference
import common
import ktse_step
import label_making
import threshold_sweep
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from mmengine.registry import init_default_scope
from torch.nn.parallel import DistributedDataParallel

REFINER = dict(type='PARRefiner')
# Of the tables over images and over processes.
CLASSES = 20


def make_step(args, classes, pairs):
    """A step of KTSE without the optimizer, as a function."""
    step_args = ktse_step.parse_args([
        '--config', common.SMALL_CONFIG, '--classes', f'{classes}', '--crop',
        f'{args.crop}', '--batch', f'{pairs}'
    ])
    model = ktse_step.build_models(step_args)[0]
    batch = model.data_preprocessor(
        ktse_step.make_batch(classes, step_args), True)
    network = model
    if dist.is_initialized():
        network = DistributedDataParallel(model)

    def step():
        model.zero_grad()
        losses = network(**batch, mode='loss')
        sum(v for k, v in losses.items() if 'loss' in k).backward()

    return step


def make_listing(folder, images, classes, args):
    """Seeds with masks for :func:`sweep`, in a new folder."""
    folder.mkdir()
    return threshold_sweep.make_data(
        folder,
        argparse.Namespace(images=images, classes=classes, size=args.size))


def sweep(listing):
    """Seconds to measure seeds at 101 thresholds."""
    return common.timed(threshold_sweep.one_pass, listing, 1)[1]


def label(dataset, root, out):
    """Seconds to label seeds, refined with PAR, without a pool."""
    return common.timed(label_making.make_labels, dataset, root, out, 0,
                        REFINER)[1]


def over_images(root, args):
    """Label making and sweep, by the number of images."""
    whole = common.make_dataset(root, max(args.images), args.size, CLASSES)
    lines = []
    for count in args.images:
        listing = make_listing(root / f'images{count}', count, CLASSES, args)
        seconds = (label(
            whole.get_subset(range(count)), root,
            root / f'labels{count}'), sweep(listing))
        lines.append([
            count,
            *(f'{s:.2f} s, {1e3 * s / count:.1f} ms an image' for s in seconds)
        ])
    return common.markdown(('images', 'label making', 'threshold sweep'),
                           lines), (whole, listing)


def over_classes(root, args):
    """CAM inference, seed metric and step, by the number of classes."""
    lines = []
    for classes in args.classes:
        cam_args = cam_inference.parse_args(
            ['--images', '2', '--classes', f'{classes}'])
        cam_args.size = args.size
        model, scales = cam_inference.build(cam_args)
        images = list(cam_inference.make_images(cam_args))
        folder = root / f'cams{classes}'
        folder.mkdir()
        seconds = common.medians(
            dict(
                cam=lambda: cam_inference.ours(model, scales, images, folder, 1
                                               ),
                step=make_step(args, classes, args.pairs)), args.repeats)
        count = min(args.images)
        listing = make_listing(root / f'classes{classes}', count, classes,
                               args)
        lines.append([
            classes, f'{1e3 * seconds["cam"] / len(images):.0f} ms',
            f'{1e3 * sweep(listing) / count:.1f} ms',
            f'{1e3 * seconds["step"]:.0f} ms'
        ])
    return common.markdown(
        ('classes', 'CAM inference of an image', 'seed metric of an image',
         f'KTSE step, {args.pairs} pairs'), lines)


def work_as_rank(rank, ranks, root, args, dataset, listing):
    """What each process of :func:`over_ranks` does."""
    torch.set_num_threads(1)
    init_default_scope('mmktse')
    dist.init_process_group(
        'gloo',
        init_method=f'file://{root}/group{ranks}',
        rank=rank,
        world_size=ranks)
    step = make_step(args, CLASSES, args.pairs // ranks)
    seconds = dict(
        label=label(dataset, root, root / f'ranks{ranks}'),
        sweep=sweep(listing),
        step=common.medians(dict(step=step), args.repeats)['step'])
    if rank == 0:
        (root / f'{ranks}.json').write_text(json.dumps(seconds))
    dist.destroy_process_group()


def over_ranks(root, args, dataset, listing):
    """Label making, sweep and step in one and in more processes."""
    lines, first = [], None
    for ranks in args.ranks:
        mp.spawn(work_as_rank, (ranks, root, args, dataset, listing), ranks)
        seconds = json.loads((root / f'{ranks}.json').read_text())
        first = first or seconds
        lines.append([
            ranks, *(f'{value:.2f} s ({first[key] / value:.2f})'
                     for key, value in seconds.items())
        ])
    return common.markdown(
        ('processes', f'label making, {len(dataset)} images',
         f'threshold sweep, {len(listing)} images',
         f'KTSE step, {args.pairs} pairs in all'), lines)


def parse_args(argv=None):
    parser = common.make_parser(__doc__, threads=1)
    parser.add_argument(
        '--images', type=int, nargs='+', default=(32, 64, 128, 256))
    parser.add_argument(
        '--classes',
        type=int,
        nargs='+',
        default=(6, 20, 80, 1000),
        help='masks show the first 254 of them, more do not fit')
    parser.add_argument('--ranks', type=int, nargs='+', default=(1, 2))
    parser.add_argument(
        '--size', type=common.image_size, default=(180, 240), metavar='HxW')
    parser.add_argument('--crop', type=int, default=96)
    parser.add_argument('--pairs', type=int, default=8)
    parser.add_argument(
        '--out',
        help='Markdown file in which the tables between the two comments are '
        'replaced')
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    torch.set_num_threads(args.threads)
    init_default_scope('mmktse')
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        images, data = over_images(root, args)
        text = '\n\n'.join([
            f'Measured on: {common.hardware_line()}.', images,
            over_classes(root, args),
            over_ranks(root, args, *data)
        ])
    print(text)
    if args.out:
        common.replace_between(args.out, 'scaling', text)


if __name__ == '__main__':
    main()
