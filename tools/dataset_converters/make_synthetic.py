# Copyright (c) mmktse authors. All rights reserved.
import argparse

from mmktse.datasets.synthetic import generate_synthetic_voc
from mmktse.engine.errors import one_sentence_errors


def parse_args():
    parser = argparse.ArgumentParser(
        description='Generate the embedded synthetic data set in VOC layout. '
        'Does nothing where it is complete already')
    parser.add_argument('out', help='folder to fill')
    parser.add_argument('--num-train', type=int, default=240)
    parser.add_argument('--num-val', type=int, default=60)
    parser.add_argument(
        '--size', type=int, default=128, help='long side in pixels')
    parser.add_argument('--seed', type=int, default=0)
    return parser.parse_args()


@one_sentence_errors
def main():
    args = parse_args()
    root = generate_synthetic_voc(args.out, args.num_train, args.num_val,
                                  args.size, args.seed)
    print(f'Synthetic data set ({args.num_train} train, {args.num_val} val '
          f'images) in {root}')


if __name__ == '__main__':
    main()
