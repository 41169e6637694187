# Copyright (c) mmktse authors. All rights reserved.
"""Writes ResNet-38's ImageNet weights, an MXNet file, for ResNet38d.

The result serves the backbone through
init_cfg=dict(type='Pretrained', checkpoint=OUT). MXNet is not needed.
"""
import argparse

import torch

from mmktse.engine.errors import one_sentence_errors
from mmktse.models.converters import convert_mxnet_resnet38d, load_mxnet_params
from mmktse.utils import atomic_write


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('src', help='ilsvrc-cls_rna-a1_cls1000_ep-0001.params')
    parser.add_argument('out', help='file to write (.pth)')
    return parser.parse_args()


@one_sentence_errors
def main():
    args = parse_args()
    state = convert_mxnet_resnet38d(load_mxnet_params(args.src))
    with atomic_write(args.out) as file:
        torch.save(dict(state_dict=state), file)
    print(f'{len(state)} tensors written to {args.out}')


if __name__ == '__main__':
    main()
