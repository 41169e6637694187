# Copyright (c) mmktse authors. All rights reserved.
import argparse
import json
import os.path as osp

from mmktse.engine.errors import one_sentence_errors
from mmktse.evaluation import evaluate_seeds
from mmktse.seeds.manifest import SEEDS
from mmktse.utils import atomic_write
from mmktse.visualization import load_curve, save_threshold_curve
from mmktse.visualization.arguments import (add_dataset_arguments,
                                            title_and_path)
from mmktse.visualization.config_dataset import build_dataset


def parse_args():
    parser = argparse.ArgumentParser(
        description='Plot mIoU, precision and recall of seeds against the '
        'threshold')
    parser.add_argument(
        'runs',
        nargs='+',
        type=title_and_path,
        metavar='TITLE=PATH',
        help='a pseudo-label folder or folder of ID.npz (measured now, needs '
        '--config), or a JSON that --save-json wrote')
    parser.add_argument('--out', required=True, help='PNG to write')
    parser.add_argument('--config', help='config of the CAM stage')
    parser.add_argument(
        '--fixed-threshold',
        type=float,
        default=.3,
        help='threshold chosen beforehand, marked with a dot (default: 0.3)')
    parser.add_argument(
        '--save-json', help='folder for TITLE.json, the measured numbers')
    parser.add_argument(
        '--title', default='', help='heading; name the split here')
    add_dataset_arguments(parser)
    args = parser.parse_args()
    for _, path in args.runs:
        if not osp.exists(path):
            parser.error(f'{path} does not exist')
        if osp.isdir(path) and not args.config:
            parser.error(f'measuring the seeds in {path} needs --config')
    return args


@one_sentence_errors
def main():
    args = parse_args()
    summaries, dataset = {}, None
    for title, path in args.runs:
        if not osp.isdir(path):
            summaries[title] = load_curve(path)
            continue
        if dataset is None:
            dataset = build_dataset(args.config, args.cfg_options, args.loader)
        inner = osp.join(path, SEEDS)
        summaries[title] = evaluate_seeds(
            inner if osp.isdir(inner) else path,
            dataset,
            fixed_threshold=args.fixed_threshold)
        if args.save_json:
            name = osp.join(args.save_json, f'{title}.json'.replace(' ', '_'))
            with atomic_write(name, 'w') as file:
                json.dump(summaries[title], file, indent=1)
    save_threshold_curve(args.out, summaries, args.title)
    print(f'Wrote {args.out}')


if __name__ == '__main__':
    main()
