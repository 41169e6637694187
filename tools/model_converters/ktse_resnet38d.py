# Copyright (c) mmktse authors. All rights reserved.
"""Writes the released KTSE checkpoint as one of our own.

The result is for configs/ktse/ktse_resnet38d_voc.py: tools/test.py and
tools/make_pseudo_labels.py take it as their checkpoint.
"""
import argparse

import torch

from mmktse.engine.errors import one_sentence_errors
from mmktse.models.converters import convert_ktse_resnet38d, load_weights
from mmktse.utils import atomic_write


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('src', help='the released checkpoint (.pth)')
    parser.add_argument('out', help='file to write (.pth)')
    return parser.parse_args()


@one_sentence_errors
def main():
    args = parse_args()
    state = convert_ktse_resnet38d(load_weights(args.src))
    with atomic_write(args.out) as file:
        torch.save(dict(state_dict=state, meta=dict()), file)
    print(f'{len(state)} tensors written to {args.out}')


if __name__ == '__main__':
    main()
