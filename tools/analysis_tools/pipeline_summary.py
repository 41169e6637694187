# Copyright (c) mmktse authors. All rights reserved.
import argparse

from mmktse.engine.errors import one_sentence_errors
from mmktse.visualization import load_curve, save_summary, select_samples
from mmktse.visualization.arguments import (add_dataset_arguments,
                                            add_selection_arguments,
                                            run_source, title_and_path)
from mmktse.visualization.config_dataset import build_dataset


def parse_args():
    parser = argparse.ArgumentParser(
        description='One figure of a whole pipeline: images with what every '
        'stage made of them, the mIoU of the stages, the threshold curves')
    parser.add_argument('config', help='config of a CAM stage: the images')
    parser.add_argument(
        '--runs',
        nargs='+',
        required=True,
        type=run_source,
        metavar='TITLE=FOLDER',
        help='as in label_gallery.py: FOLDER, FOLDER@cam or FOLDER@0.3')
    parser.add_argument(
        '--scores',
        nargs='+',
        default=[],
        type=title_and_path,
        metavar='TITLE=MIOU',
        help='mIoU in percent of each stage')
    parser.add_argument(
        '--curves',
        nargs='+',
        default=[],
        type=title_and_path,
        metavar='TITLE=JSON',
        help='threshold curves, as threshold_curve.py --save-json wrote them')
    parser.add_argument('--out', required=True, help='PNG to write')
    parser.add_argument('--title', default='', help='heading of the figure')
    add_selection_arguments(parser)
    add_dataset_arguments(parser)
    return parser.parse_args()


@one_sentence_errors
def main():
    args = parse_args()
    dataset = build_dataset(args.config, args.cfg_options, args.loader)
    samples = select_samples(dataset, args.num, args.ids, args.seed,
                             args.order, args.runs)
    save_summary(
        args.out,
        samples,
        args.runs,
        dataset.metainfo['classes'],
        dataset.metainfo.get('palette'),
        scores={
            name: float(value)
            for name, value in args.scores
        },
        curves={
            name: load_curve(path)
            for name, path in args.curves
        },
        title=args.title)
    print(f'Wrote {args.out}')


if __name__ == '__main__':
    main()
