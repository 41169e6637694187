# Copyright (c) mmktse authors. All rights reserved.
"""Writes DeepLab's ResNet-101 that was trained on COCO under mmseg's names.

The result is for configs/deeplabv2/deeplabv2_r101-d8-cocoinit_*.py, which look
for it as checkpoints/deeplab_resnet101_coco.pth.
"""
import argparse

import torch

from mmktse.engine.errors import one_sentence_errors
from mmktse.models.converters import (convert_deeplab_coco_resnet101,
                                      load_weights)
from mmktse.utils import atomic_write


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'src',
        help='deeplabv1_resnet101-coco.pth or deeplabv2_resnet101_COCO_init.'
        'pth of deeplab-pytorch')
    parser.add_argument('out', help='file to write (.pth)')
    return parser.parse_args()


@one_sentence_errors
def main():
    args = parse_args()
    state = convert_deeplab_coco_resnet101(load_weights(args.src))
    with atomic_write(args.out) as file:
        torch.save(dict(state_dict=state), file)
    print(f'{len(state)} tensors written to {args.out}')


if __name__ == '__main__':
    main()
