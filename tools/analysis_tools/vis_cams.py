# Copyright (c) mmktse authors. All rights reserved.
import argparse

from mmktse.engine.errors import one_sentence_errors
from mmktse.visualization import RunSource, save_cam_page, select_samples
from mmktse.visualization.arguments import (add_dataset_arguments,
                                            add_selection_arguments)
from mmktse.visualization.config_dataset import build_dataset


def parse_args():
    parser = argparse.ArgumentParser(
        description='Draw stored CAMs: image | labels | truth | heat of each '
        'present class')
    parser.add_argument('config', help='config of the CAM stage')
    parser.add_argument(
        'seeds', help='pseudo-label folder, or folder of ID.npz')
    parser.add_argument('--out', required=True, help='PNG to write')
    parser.add_argument(
        '--threshold',
        type=float,
        help='draw label maps made from the CAMs at this threshold')
    parser.add_argument(
        '--labels', help='draw the label maps of this folder instead')
    parser.add_argument('--title', default='', help='heading of the page')
    add_selection_arguments(parser, by_iou=False)
    add_dataset_arguments(parser)
    args = parser.parse_args()
    if args.labels and args.threshold is not None:
        parser.error('give --labels or --threshold, not both')
    return args


@one_sentence_errors
def main():
    args = parse_args()
    seeds = RunSource('CAM', args.seeds, 'cam')
    labels = None
    if args.labels:
        labels = RunSource('labels', args.labels)
    elif args.threshold is not None:
        labels = RunSource(f'labels at {args.threshold:g}', args.seeds,
                           args.threshold)
    dataset = build_dataset(args.config, args.cfg_options, args.loader)
    samples = select_samples(
        dataset, args.num, args.ids, args.seed, runs=[seeds])
    save_cam_page(args.out, samples, seeds, dataset.metainfo['classes'],
                  dataset.metainfo.get('palette'), labels, args.title)
    print(f'Wrote {args.out}')


if __name__ == '__main__':
    main()
