# Copyright (c) mmktse authors. All rights reserved.
"""Pairs of near cells and the straight paths between them (IRN)."""
from functools import lru_cache
from itertools import product
from typing import Dict, List, Tuple

import numpy as np


def _path(dy: int, dx: int) -> List[Tuple[int, int]]:
    """Cells less than one cell away from the segment (0, 0) to (dy, dx)."""
    box = product(
        range(min(dy, 0),
              max(dy, 0) + 1), range(min(dx, 0),
                                     max(dx, 0) + 1))
    # |cross product| / length is the distance from the line.
    near = [(y, x) for y, x in box if (dy * x - dx * y)**2 < dy**2 + dx**2]
    return sorted(near, key=lambda cell: -abs(cell[0]) - abs(cell[1]))


@lru_cache
def straight_paths(radius: int) -> Tuple[np.ndarray, ...]:
    """Straight paths from a cell to the cells near it.

    Of a pair of cells only one is a destination of the other: the lower one,
    or the right one in the same row.

    Args:
        radius (int): Destinations are less than this many cells away.

    Returns:
        tuple[np.ndarray]: For every number of cells a path can have, in
        rising order, the paths (P, cells, 2) of that many cells. A path is
        a list of offsets (dy, dx) that starts at the destination and ends
        with (0, 0), the source.

    Raises:
        ValueError: If the radius reaches no neighbour.
    """
    if radius < 2:
        raise ValueError(f'radius must be at least 2 cells, got {radius}.')
    groups: Dict[int, list] = {}
    for dy, dx in product(range(radius), range(1 - radius, radius)):
        if (dy > 0 or dx > 0) and dy**2 + dx**2 < radius**2:
            path = _path(dy, dx)
            groups.setdefault(len(path), []).append(path)
    return tuple(np.array(groups[cells]) for cells in sorted(groups))


def destinations(radius: int) -> np.ndarray:
    """Offsets (D, 2) = (dy, dx) of the destinations, by length of path."""
    return np.concatenate([group[:, 0] for group in straight_paths(radius)])
