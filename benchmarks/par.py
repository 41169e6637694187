# Copyright (c) mmktse authors. All rights reserved.
"""Times refining the maps of a training step with PAR.

Against a PAR that computes its affinity in each call, once for each
threshold, and refines the background and all classes. The run fails if the
label maps differ in more pixels than rounding decides.
"""
import common
import numpy as np
import torch

from mmktse.models.utils import OnlineLabeler
from mmktse.models.utils.cam import label_norm, resize

TARGET = 2
# Of pixels at a threshold or an argmax that rounding decides.
TIE_SHARE = 1e-4


def make_batch(args):
    """Images (N, 3, H, W), raw scores (N, C, h, w), targets (N, C)."""
    rng = np.random.default_rng(0)
    size, low = [args.crop] * 2, [args.crop // 16] * 2
    images = torch.stack(
        [common.smooth(rng, 3, size) for _ in range(args.batch)])
    scores = torch.stack([
        common.smooth(rng, args.classes, low) * 8 - 4
        for _ in range(args.batch)
    ])
    targets = torch.zeros(args.batch, args.classes)
    for row in targets:
        row[common.draw_classes(rng, args.classes)] = 1
    return images, scores, targets


@torch.no_grad()
def straightforward(labeler, images, scores, targets):
    """Label maps (N, H, W): all channels, each threshold on its own."""
    size = images.shape[2:]
    low_size = tuple(int(s * labeler.scale) for s in size)
    absent = (targets == 0) | (scores.amax((2, 3)) <= 0)
    maps = resize(resize(label_norm(scores), size), low_size)
    maps = maps.masked_fill(absent[:, :, None, None], -float('inf'))
    hard = []
    for threshold in labeler.thresholds:
        stack = torch.cat((torch.full_like(maps[:, :1], threshold), maps), 1)
        refined = labeler.par(resize(images, low_size), stack.softmax(1))
        hard.append(resize(refined, size).argmax(1))
    high, low = hard
    return torch.where((high == 0) & (low > 0), 255, high)


def measure(args):
    """Compares and times both sides; rows of the table."""
    labeler = OnlineLabeler()
    images, scores, targets = make_batch(args)
    num_present = targets.sum(1).int().tolist()

    def ours():
        return labeler(images, scores, targets, num_present)

    def other():
        return straightforward(labeler, images, scores, targets)

    got, want = ours(), other()
    share = (got != want).float().mean().item()
    print(f'share of pixels that differ: {share:.1e}')
    if share > TIE_SHARE:
        raise SystemExit(f'{share:.1e} of the label pixels differ.')
    if len(want.unique()) < 3:
        raise SystemExit('The labels are degenerate and show nothing.')
    seconds = common.medians(
        dict(ours=ours, straightforward=other), args.repeats)
    return [
        common.Row(
            f'PAR within a step, {args.batch} images of {args.crop}, '
            f'{args.classes} classes',
            'an affinity for each call, all channels',
            **seconds,
            target=TARGET)
    ]


def parse_args(argv=None):
    parser = common.make_parser(__doc__)
    parser.add_argument('--batch', type=int, default=16)
    parser.add_argument('--crop', type=int, default=224)
    parser.add_argument('--classes', type=int, default=20)
    return parser.parse_args(argv)


def main(argv=None):
    common.report(parse_args(argv), measure)


if __name__ == '__main__':
    main()
