# Copyright (c) mmktse authors. All rights reserved.
import argparse
import os.path as osp

from mmktse.engine.errors import one_sentence_errors
from mmktse.visualization import save_report
from mmktse.visualization.arguments import add_dataset_arguments
from mmktse.visualization.config_dataset import build_dataset


def parse_args():
    parser = argparse.ArgumentParser(
        description='Write one HTML page about a pseudo-label folder: what '
        'made it, figures, confusion, threshold curve, worst and best images. '
        'It holds its pictures and opens without a server')
    parser.add_argument('config', help='config of the CAM stage: the images')
    parser.add_argument('folder', help='pseudo-label folder')
    parser.add_argument('--out', required=True, help='HTML file to write')
    parser.add_argument(
        '--images-per-class',
        type=int,
        default=3,
        help='worst and best images to show of each class (default: 3)')
    parser.add_argument(
        '--max-width',
        type=int,
        default=320,
        help='longest side of the pictures in pixels (default: 320)')
    parser.add_argument(
        '--hide-images',
        action='store_true',
        help='leave out images and truth, for images that may not be passed '
        'on')
    add_dataset_arguments(parser)
    return parser.parse_args()


@one_sentence_errors
def main():
    args = parse_args()
    dataset = build_dataset(args.config, args.cfg_options, args.loader)
    size = save_report(
        args.out,
        dataset,
        args.folder,
        split=osp.relpath(dataset.source, dataset.data_root or '.'),
        images_per_class=args.images_per_class,
        max_width=args.max_width,
        hide_images=args.hide_images)
    print(f'Wrote {args.out} ({size / 1e6:.1f} MB)')


if __name__ == '__main__':
    main()
