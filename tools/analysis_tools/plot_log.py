# Copyright (c) mmktse authors. All rights reserved.
import argparse

from mmktse.engine.errors import one_sentence_errors
from mmktse.engine.training_log import load_scalars
from mmktse.visualization import save_training_curves
from mmktse.visualization.arguments import title_and_path


def parse_args():
    parser = argparse.ArgumentParser(
        description='Plot what training logged (losses, peaks of the maps, '
        'metrics), several runs in one picture')
    parser.add_argument(
        'runs',
        nargs='+',
        type=title_and_path,
        metavar='TITLE=PATH',
        help='work folder of a run, or a scalars.json')
    parser.add_argument('--out', required=True, help='PNG to write')
    parser.add_argument(
        '--keys',
        nargs='+',
        help='values to plot; "loss*" stands for all that begin so (default: '
        'all)')
    parser.add_argument(
        '--smooth',
        type=int,
        default=1,
        help='running mean over so many logged points (default: 1, none)')
    parser.add_argument('--title', default='', help='heading of the page')
    return parser.parse_args()


@one_sentence_errors
def main():
    args = parse_args()
    runs = {title: load_scalars(path) for title, path in args.runs}
    save_training_curves(args.out, runs, args.keys, args.smooth, args.title)
    print(f'Wrote {args.out}')


if __name__ == '__main__':
    main()
