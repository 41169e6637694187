# Copyright (c) mmktse authors. All rights reserved.
"""Times a training step of a backbone, its dilated depthwise convolutions
plain and split into smaller ones.

The steps alternate. The run fails if features or gradients differ.
"""
import statistics
import time

import common
import torch
from torch import nn

import mmktse  # noqa: F401
from mmktse.models.utils.dilated_depthwise import SplitDepthwiseConv2d
from mmktse.registry import MODELS

RTOL = 1e-3


def build(args) -> nn.Module:
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type='TIMMBackbone',
            model_name='tf_efficientnet_lite0',
            features_only=True,
            output_stride=args.output_stride,
            norm_eval=True)).train()


def make_plain(model: nn.Module) -> nn.Module:
    """Takes the splitting out again."""
    for module in model.modules():
        if isinstance(module, SplitDepthwiseConv2d):
            module.__class__ = nn.Conv2d
    return model


def step(model: nn.Module, images: torch.Tensor) -> tuple:
    """Seconds, features and gradients."""
    model.zero_grad()
    start = time.perf_counter()
    feats = model(images)[-1]
    feats.square().mean().backward()
    seconds = time.perf_counter() - start
    return seconds, feats.detach(), [p.grad for p in model.parameters()]


def measure(args) -> list:
    """Compares and times the steps; rows of the table."""
    models = dict(plain=make_plain(build(args)), split=build(args))
    images = torch.rand(args.batch, 3, args.size, args.size)
    seconds = {name: [] for name in models}
    for _ in range(args.repeats + 1):
        results = {}
        for name, model in models.items():
            time_taken, *results[name] = step(model, images)
            seconds[name].append(time_taken)
    (feats, grads), (split_feats, split_grads) = results.values()
    for a, b in zip((feats, *grads), (split_feats, *split_grads)):
        if (a is None) != (
                b
                is None) or a is not None and (a - b).norm() > RTOL * a.norm():
            raise SystemExit('The results differ.')
    # The first step of each allocates.
    medians = {k: statistics.median(v[1:]) for k, v in seconds.items()}
    return [
        common.Row(
            f'EfficientNet-Lite0, forward and backward, {args.batch} images '
            f'of {args.size}', 'dilated depthwise convolutions not split',
            medians['split'], medians['plain'])
    ]


def parse_args(argv=None):
    parser = common.make_parser(__doc__, repeats=8)
    parser.add_argument('--batch', type=int, default=16)
    parser.add_argument('--size', type=int, default=224)
    parser.add_argument('--output-stride', type=int, default=16)
    return parser.parse_args(argv)


def main(argv=None) -> None:
    common.report(parse_args(argv), measure)


if __name__ == '__main__':
    main()
