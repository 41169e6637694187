# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from mmktse.models.refiners.affinity_paths import destinations, straight_paths
from mmktse.models.refiners.random_walk import (edge_to_affinity,
                                                neighbourhoods, place,
                                                random_walk)


def _dense_walk(cam, edge, beta, log2_steps, radius):
    """The walk as its definition says: a matrix, normalised by columns."""
    height, width = cam.shape[1:]
    grid = torch.arange(height * width).view(height, width)
    matrix = torch.eye(height * width, dtype=torch.float64)
    for group in straight_paths(radius):
        for path in group.tolist():
            dy, dx = path[0]
            for y in range(height - dy):
                for x in range(max(-dx, 0), width - max(dx, 0)):
                    strongest = max(edge[0, y + i, x + j] for i, j in path)
                    a, b = grid[y, x], grid[y + dy, x + dx]
                    matrix[a, b] = matrix[b, a] = (1 - strongest)**beta
    matrix /= matrix.sum(0, keepdim=True)
    start = (cam * (1 - edge)).flatten(1).double()
    walk = torch.linalg.matrix_power(matrix, 2**log2_steps)
    return (start @ walk).view_as(cam)


@pytest.mark.parity
def test_golden_affinity(parity, assert_near):
    data = parity('irn')
    assert_near(edge_to_affinity(data['aff_edge'], 5), data['aff'], 1e-6)


@pytest.mark.parity
def test_golden_walk(parity, assert_near):
    data = parity('irn')
    cam, edge = data['rw_cam'], data['rw_edge']
    assert_near(random_walk(cam, edge), data['rw_out'], 1e-4)
    assert_near(random_walk(cam, edge, 8, 1), data['rw_out_short'], 1e-5)


# None is a multiple of anything; the last ones are smaller than the radius.
@pytest.mark.parametrize('size', [(7, 11), (5, 5), (1, 1), (2, 3), (1, 9),
                                  (7, 1)])
def test_no_size_is_cut(size, assert_near):
    torch.manual_seed(0)
    cam, edge = torch.rand(2, *size), torch.rand(1, *size)**3
    walked = random_walk(cam, edge, 3, 3, 4)
    assert walked.shape == cam.shape
    assert_near(walked, _dense_walk(cam, edge, 3, 3, 4), 1e-5)


def test_walk_fills_the_region_and_stops_at_its_edge():
    edge = torch.zeros(1, 20, 24)
    edge[..., 12] = 1
    cam = torch.zeros(1, 20, 24)
    cam[..., 8:12, 2:6] = 1
    walked = random_walk(cam, edge)[0]
    assert (walked[:, 12:] == 0).all()
    left = walked[:, :12]
    assert left.min() > .5 * left.max() > 0
    # Nothing is lost nor added inside but by the normalisation.
    constant = random_walk(torch.ones(1, 9, 9), torch.zeros(1, 9, 9))
    torch.testing.assert_close(constant, torch.ones(1, 9, 9))


class _Largest(TorchDispatchMode):
    """Notes the number of elements of the largest tensor that is made."""

    elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if isinstance(out, torch.Tensor):
            self.elements = max(self.elements,
                                out.untyped_storage().nbytes() // 4)
        return out


def test_memory_is_linear_in_the_number_of_cells():
    # The grid of an image of 640x640; its dense matrix has 655 M elements.
    cam, edge = torch.rand(2, 160, 160), torch.rand(1, 160, 160)
    with _Largest() as large:
        random_walk(cam, edge, log2_steps=0)
    assert cam.numel() <= large.elements < 100 * 160 * 160


def test_neighbourhoods_are_where_place_says():
    maps = torch.arange(2. * 5 * 9).view(1, 2, 5, 9)
    near = neighbourhoods(maps, 3)
    ends = destinations(3)
    found = near[:, :, place(ends, 3)].view(1, 2, len(ends), 3, 5)
    for k, (dy, dx) in enumerate(ends):
        expected = maps[..., dy:dy + 3, 2 + dx:7 + dx]
        assert torch.equal(found[:, :, k], expected)


def test_gradient_goes_to_the_strongest_cell_of_a_path():
    edge = torch.full((1, 4, 9), .1)
    edge[0, 0, 5] = .5
    edge.requires_grad_()
    path = destinations(4).tolist().index([0, 3])
    edge_to_affinity(edge, 4)[0, path, 0].backward()  # from column 3 to 6
    assert edge.grad.nonzero().tolist() == [[0, 0, 5]]
    assert edge.grad[0, 0, 5] == -1


def test_too_small_a_map_is_refused():
    with pytest.raises(ValueError, match='3x9 cells are too small.*4x7'):
        edge_to_affinity(torch.rand(1, 3, 9), 4)
