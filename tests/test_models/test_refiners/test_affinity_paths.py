# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest

from mmktse.models.refiners.affinity_paths import destinations, straight_paths


@pytest.mark.parity
@pytest.mark.parametrize('radius', [5, 10])
def test_golden(parity_dir, radius):
    golden = np.load(f'{parity_dir}/irn.npz')
    height, width = golden[f'r{radius}_size']
    grid = np.arange(height * width).reshape(height, width)
    sources = grid[:1 - radius, radius - 1:1 - radius].ravel()
    np.testing.assert_array_equal(sources, golden[f'r{radius}_src'])

    def cells(offsets):
        return (offsets @ (width, 1))[..., None] + sources

    paths = straight_paths(radius)
    assert len(paths) == golden[f'r{radius}_n_lengths']
    for number, group in enumerate(paths):
        np.testing.assert_array_equal(
            cells(group), golden[f'r{radius}_path{number}'])
    ends = destinations(radius)
    np.testing.assert_array_equal(ends, golden[f'r{radius}_search_dst'])
    np.testing.assert_array_equal(cells(ends), golden[f'r{radius}_dst'])


@pytest.mark.parametrize('radius', [2, 3, 7])
def test_every_pair_once_and_paths_without_gaps(radius):
    ends = {tuple(end) for end in destinations(radius)}
    mirrored = {(-dy, -dx) for dy, dx in ends}
    disc = {(dy, dx)
            for dy in range(-radius, radius + 1)
            for dx in range(-radius, radius + 1)
            if 0 < np.hypot(dy, dx) < radius}
    assert ends | mirrored == disc and not ends & mirrored
    for group in straight_paths(radius):
        for path in group:
            assert tuple(path[0]) in ends and not path[-1].any()
            assert len({tuple(cell) for cell in path}) == len(path)
            # Every cell touches one that is nearer to the source.
            for cell in path[:-1]:
                gaps = np.abs(path - cell).max(1)
                nearer = np.abs(path).sum(1) < np.abs(cell).sum()
                assert ((gaps == 1) & nearer).any()


def test_straight_line():
    paths = {tuple(p[0]): p for group in straight_paths(5) for p in group}
    assert paths[0, 3].tolist() == [[0, 3], [0, 2], [0, 1], [0, 0]]


def test_radius_without_neighbours():
    with pytest.raises(ValueError, match='at least 2'):
        straight_paths(1)
