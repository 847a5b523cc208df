"""Stokes flow on rectangles against polynomial flows: any velocity, any pressure, large gradients in the force."""

import math

import pytest
import torch

from references.stokes_flow import NU, Flow
from vcycle.hybrid.cell_quadrature import at_point
from vcycle.hybrid.halved_cells import repeated
from vcycle.hybrid.stokes_bound import inf_sup_bound, stokes_bound
from vcycle.operators.staggered import PressureSchur
from vcycle.problems import Stokes
from vcycle.spaces import Domain


@pytest.mark.parametrize("size", [0.0, 1.0, 1e3])
@pytest.mark.parametrize(("length", "shape"), [(1.0, (6, 6)), (1.0, (16, 16)), (3.0, (9, 4))])
def test_bounds_the_error_of_any_velocity_with_any_pressure(length, shape, size):
    flow = Flow(length, size)
    u, p, f, off = flow.cells(shape)
    torch.manual_seed(0)
    scale = float(u.std())
    v = torch.cat([u, u, 0 * u, u * (1 + 0.05 * torch.randn_like(u)), scale * torch.randn_like(u), u])
    pressure = torch.cat([p, 0 * p, p, p, torch.randn_like(p), torch.randn_like(p)])
    f, off = (part.expand(6, -1, -1, -1) for part in (f, off))
    bound = stokes_bound(v, pressure, f, NU, flow.domain, oscillation=off)
    true, size_of_u = flow.error(bound.field), flow.error(0 * bound.field[:1])
    assert bool((bound.value >= true).all())
    assert bool((bound.least <= size_of_u).all())
    # The divergence is part of the error: ||div v|| <= ||grad(u - v)||, so this part is at most 1 / beta too large.
    assert bool((bound.divergence <= true * (1 + 1e-12)).all())


def test_converges_at_first_order_and_what_gradients_in_the_force_add_at_second():
    for size, order in ((0.0, 1), (10.0, 2)):
        values, flow = [], Flow(1.0, size)
        for n in (16, 32):
            u, p, f, off = flow.cells((n, n))
            bound = stokes_bound(u, p, f, NU, flow.domain, oscillation=off)
            values.append(float(bound.value))
        assert abs(math.log2(values[0] / values[1]) - order) < 0.2
        if size == 0:
            assert values[1] < 1.7 * float(flow.error(bound.field))


def test_the_constant_is_below_that_of_the_discrete_divergence():
    """The eigenvalues of the Schur complement of the staggered grid start at its own beta^2."""
    assert inf_sup_bound(Domain.unit(2)) == pytest.approx(math.sin(math.pi / 8))
    for lengths in ((1.0, 1.0), (2.0, 1.0), (1.0, 5.0)):
        n = [round(12 * side) for side in lengths]
        assert inf_sup_bound(Domain(lengths)) ** 2 <= least_schur(n, lengths)


def least_schur(shape, lengths):
    """The second smallest eigenvalue of div (lap)^-1 grad on the staggered grid; constants have 0."""
    S = PressureSchur(Domain(lengths), tuple(shape))
    eye = torch.eye(math.prod(shape)).double().view(-1, 1, *shape)
    return float(torch.linalg.eigvalsh(S(eye).flatten(1))[1])


def test_answers_of_the_solver_have_small_bounds():
    problem = Stokes()
    f = problem.sample((32, 32), 0, range(2))
    answer = problem.solve(f).value
    bound = stokes_bound(answer[:, :2], answer[:, 2:], f.double(), problem.viscosity, problem.domain)
    assert bool((bound.relative < 0.5).all()), bound.relative


def test_the_function_is_the_mean_of_neighbours_on_faces_and_zero_on_walls():
    v = torch.randn(1, 2, 4, 5).double()
    bound = stokes_bound(v, v[:, :1], v, 1.0, Domain.unit(2))
    assert torch.equal(bound.field[:, :, 1::2, 1::2], v)
    assert float(bound.field[:, :, [0, -1]].abs().max()) == 0 == float(bound.field[:, :, :, [0, -1]].abs().max())
    assert at_point(bound.field.numpy(), (0.5, 0.5)).shape == repeated(v).shape


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"domain": Domain.unit(2, "neumann")}, "with walls"),
        ({"domain": Domain.unit(3)}, "known on rectangles"),
        ({"pressure": torch.zeros(1, 2, 4, 4)}, "pressure must have shape"),
        ({"viscosity": 0.0}, "viscosity must be positive"),
    ],
)
def test_says_what_does_not_fit(change, words):
    zero = torch.zeros(1, 2, 4, 4)
    given = {"v": zero, "pressure": zero[:, :1], "force": zero, "viscosity": 1.0, "domain": Domain.unit(2)}
    with pytest.raises(ValueError, match=words):
        stokes_bound(**{**given, **change})
