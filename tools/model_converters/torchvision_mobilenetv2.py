# Copyright (c) mmktse authors. All rights reserved.
"""Writes torchvision-style MobileNetV2 weights under OpenMMLab's names.

The result serves mmseg.MobileNetV2 and mmpretrain.MobileNetV2 alike through
init_cfg=dict(type='Pretrained', checkpoint=OUT).
"""
import argparse

import torch

from mmktse.engine.errors import one_sentence_errors
from mmktse.models.converters import (convert_torchvision_mobilenet_v2,
                                      load_weights)
from mmktse.utils import atomic_write


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('src', help="weights with torchvision's names (.pth)")
    parser.add_argument('out', help='file to write (.pth)')
    return parser.parse_args()


@one_sentence_errors
def main():
    args = parse_args()
    state = convert_torchvision_mobilenet_v2(load_weights(args.src))
    with atomic_write(args.out) as file:
        torch.save(dict(state_dict=state), file)
    print(f'{len(state)} tensors written to {args.out}')


if __name__ == '__main__':
    main()
