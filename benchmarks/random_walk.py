# Copyright (c) mmktse authors. All rights reserved.
"""Times the random walk of IRN against its matrix.

The matrix of all pairs of cells is squared again and again, as published.
The run fails if the maps differ.
"""
import common
import numpy as np
import torch
import torch.nn.functional as F

from mmktse.models.refiners.affinity_paths import destinations
from mmktse.models.refiners.random_walk import edge_to_affinity, random_walk

# Of float32: each squaring doubles the rounding before it.
RTOL = 1e-3
RADIUS, BETA, LOG2_STEPS = 5, 10, 8


@torch.no_grad()
def dense_walk(cam, edge):
    """The walk by powers of the transition matrix, (K, h, w)."""
    height, width = edge.shape[1:]
    margin = RADIUS - 1
    padded = F.pad(edge, (margin, margin, 0, margin), value=1.)
    affinity = edge_to_affinity(padded, RADIUS)[0].pow_(BETA)
    matrix = torch.eye(height * width)
    y, x = torch.meshgrid(
        torch.arange(height), torch.arange(width), indexing='ij')
    for (dy, dx), weight in zip(destinations(RADIUS).tolist(), affinity):
        inside = ((y + dy < height) & (x + dx >= 0) & (x + dx < width))
        source = (y * width + x)[inside]
        end = source + dy * width + dx
        weight = weight.view(height, width)[inside]
        matrix[source, end] = matrix[end, source] = weight
    matrix /= matrix.sum(0, keepdim=True)
    for _ in range(LOG2_STEPS):
        matrix = matrix @ matrix
    return ((cam * (1 - edge)).flatten(1) @ matrix).view_as(cam)


def measure(args):
    """Compares and times both sides; rows of the table."""
    rng = np.random.default_rng(0)
    cam = common.smooth(rng, args.maps, args.size)
    edge = common.smooth(rng, 1, args.size)**3

    def ours():
        return random_walk(cam, edge, BETA, LOG2_STEPS, RADIUS)

    def other():
        return dense_walk(cam, edge)

    want = other()
    error = float((ours() - want).abs().max() / want.abs().max())
    print(f'largest difference {error:.1e} of the peak')
    if error > RTOL:
        raise SystemExit(f'The maps differ by {error:.1e} of their peak.')
    height, width = args.size
    return [
        common.Row(
            f'random walk, {args.maps} maps of {height}x{width} cells',
            'powers of the matrix of all pairs',
            **common.medians(
                dict(ours=ours, straightforward=other), args.repeats))
    ]


def parse_args(argv=None):
    parser = common.make_parser(__doc__)
    parser.add_argument(
        '--size',
        type=common.image_size,
        default=(48, 64),
        metavar='HxW',
        help='in cells, of 4 pixels each')
    parser.add_argument('--maps', type=int, default=2)
    return parser.parse_args(argv)


def main(argv=None):
    common.report(parse_args(argv), measure)


if __name__ == '__main__':
    main()
