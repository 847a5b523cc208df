"""Minimal surfaces: Scherk's and the catenoid to second order, planes exactly, least area, the maximum principle."""

import math

import pytest
import torch

from vcycle.problems import MinimalSurface
from vcycle.problems.minimal_surface import blend
from vcycle.spaces import L2, Domain, Grid


def scherk(x, y):
    return torch.log(torch.cos(y) / torch.cos(x))


def catenoid(x, y):
    return torch.acosh((x**2 + y**2).sqrt())


@pytest.mark.parametrize(
    ("surface", "domain"),
    [(scherk, Domain([(-0.9, 0.8), (-0.7, 1.0)])), (catenoid, Domain([(0.9, 2.0), (0.8, 1.7)]))],
    ids=["scherk", "catenoid"],
)
def test_second_order_to_surfaces_in_closed_form(surface, domain):
    P, errors = MinimalSurface(domain), []
    for n in (16, 32, 64):
        exact = surface(*Grid(domain, (n, n)).mesh())[None, None]
        solution = P.solve(exact)
        assert bool(solution.converged.all())
        errors.append(float(L2(domain)(solution.value - exact)))
    assert math.log2(errors[-2] / errors[-1]) == pytest.approx(2.0, abs=0.1)
    assert errors[-1] < 1e-3


def test_planes_are_exact_and_heights_and_motions_are_free():
    P = MinimalSurface(Domain([1.0, 2.0]))
    x, y = Grid(P.domain, (12, 10)).mesh()
    plane = (3 * x - 2 * y + 5)[None, None]
    torch.testing.assert_close(P.solve(plane).value, plane)
    g = P.sample((12, 10), 0, [0])
    torch.testing.assert_close(P.solve(g + 7).value, P.solve(g).value + 7, rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(P.solve(-g).value, -P.solve(g).value, rtol=1e-8, atol=1e-8)


def test_nothing_in_the_same_frame_has_less_area_and_the_frame_bounds_the_height():
    P = MinimalSurface(amplitude=1.0)
    g = P.sample((24, 24), 0, range(4))
    E, u = P.discrete(g), P.solve(g).value
    least = E.value(u)
    for v in (g, u + 0.01 * torch.randn(u.shape, dtype=torch.float64, generator=torch.manual_seed(0))):
        assert bool((E.value(v) > least).all())
    assert bool((least > 1.0).all())
    edge = torch.cat([g[..., 0, :], g[..., -1, :], g[..., :, 0], g[..., :, -1]], -1)
    slack = 0.05 * (edge.amax() - edge.amin())  # the frame is half a cell outside
    assert bool((u.amax((2, 3)) <= edge.amax(-1) + slack).all() and (u.amin((2, 3)) >= edge.amin(-1) - slack).all())


def test_only_the_frame_counts():
    P = MinimalSurface()
    g = P.sample((16, 16), 0, [0])
    other = g.clone()
    other[:, :, 2:-2, 2:-2] += 1.0  # what lies further inside than the two cells that are continued to the face
    torch.testing.assert_close(P.solve(other).value, P.solve(g).value, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("boundary", ["dirichlet", ["dirichlet", ("neumann", "dirichlet")], ["periodic", "dirichlet"]])
def test_the_blend_keeps_the_frame_and_forgets_the_rest(boundary):
    D = Domain.unit(2, boundary)
    z = torch.randn(2, 1, 8, 9, dtype=torch.float64, generator=torch.manual_seed(0))
    b = blend(z, D)
    for axis, faces in enumerate(D.boundary):
        for end, condition in zip((0, -1), faces, strict=True):
            if condition == "dirichlet":
                torch.testing.assert_close(b.select(axis + 2, end), z.select(axis + 2, end))
    inside = z.clone()
    inside[:, :, 1:-1, 1:-1] = 0
    torch.testing.assert_close(blend(inside, D)[:, :, 1:-1, 1:-1], b[:, :, 1:-1, 1:-1])


def test_impossible_problems_are_refused_with_a_sentence():
    with pytest.raises(ValueError, match="a line is straight"):
        MinimalSurface(Domain.unit(1))
    with pytest.raises(ValueError, match="positive amplitude"):
        MinimalSurface(amplitude=-1.0)
