import pytest
import torch

from references.cases import BOUNDARIES
from references.coarsening import parity

SHAPES = [(8,), (7,), (6, 8), (5, 8), (4, 5, 6)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("axes", [(0,), None])
def test_every_point_is_in_one_class_and_its_neighbours_are_where_parity_says(shape, boundary, axes):
    d = len(shape)
    p = parity(shape, boundary, axes)
    u = 1 + torch.arange(float(torch.Size(shape).numel())).view(shape)
    parts = p.split(u)
    assert sum(int((part > 0).sum()) for part in parts.values()) == u.numel()
    for c, part in parts.items():
        for axis in (a for a in range(d) if a in p.axes or p.domain.periodic(a)):
            for s in (-1, 1):
                other, slots = p.neighbour(c, tuple(s * (axis == a) for a in range(d)))
                near = p.moved(parts[other], slots)
                expected = p.split(_beyond(u, axis, s, p.domain.periodic(axis)))[c]
                assert bool((near[part > 0] == expected[part > 0]).all())


def _beyond(u, axis, s, periodic):
    near = u.roll(-s, axis)
    if not periodic:
        near.select(axis, -1 if s > 0 else 0).zero_()
    return near
