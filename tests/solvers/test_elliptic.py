"""Finite elements solved: the band and the iteration agree with SuperLU; starts do no harm."""

import math

import pytest
import torch

from references.cases import BOUNDARIES, domain
from vcycle.operators import Compact
from vcycle.problems import AnisotropicDarcy, Elasticity
from vcycle.problems.element_matrices import solve_elements
from vcycle.solvers import banded, best_multiple, elliptic, relative_residual, solve_elliptic
from vcycle.spaces import Domain

HELD = [name for name in BOUNDARIES if name not in ("neumann", "periodic")]


def case(P, shape, samples=3):
    inputs = P.sample(shape, 0, range(samples))
    return P.moduli(inputs), P.load(inputs)


@pytest.mark.parametrize("boundary", HELD)
@pytest.mark.parametrize("kind", [AnisotropicDarcy, Elasticity])
@pytest.mark.parametrize("shape", [(9, 14), (14, 9), (4, 5, 6)])
def test_the_band_holds_the_matrix(kind, boundary, shape):
    P = kind(domain(len(shape), boundary))
    C, load = case(P, shape)
    u = banded.solve_banded(Compact.assemble(C, P.domain), load)
    torch.testing.assert_close(u, solve_elements(C, load, P.domain), rtol=1e-9, atol=1e-11)


def test_operations_are_unknowns_times_the_square_of_the_band():
    C, _ = case(AnisotropicDarcy(), (8, 30), 1)
    assert banded.operations(Compact.assemble(C, Domain.unit(2))) == 240 * 9**2


def test_what_is_not_positive_has_no_factor_and_is_solved_by_superlu():
    C, load = case(AnisotropicDarcy(), (8, 8))
    A = Compact.assemble(-C, Domain.unit(2))
    torch.testing.assert_close(A(banded.solve_banded(A, load)), load)


@pytest.mark.parametrize("kind", [AnisotropicDarcy, Elasticity])
def test_the_iteration_and_the_band_give_the_same(kind, monkeypatch):
    P = kind()
    C, load = case(P, (24, 20))
    direct = solve_elliptic(C, P.domain, load)
    monkeypatch.setattr(elliptic, "operations", lambda A: math.inf)
    iterated = solve_elliptic(C, P.domain, load)
    assert direct.iterations == 1 < iterated.iterations
    assert bool(iterated.converged.all())
    torch.testing.assert_close(iterated.value, direct.value, rtol=1e-7, atol=1e-9)
    near = solve_elliptic(C, P.domain, load, start=direct.value + 1e-5 * direct.value.flip(2))
    assert near.iterations < iterated.iterations
    assert solve_elliptic(C, P.domain, load, start=direct.value).iterations == 0
    nothing = solve_elliptic(C, P.domain, load, start=torch.full_like(load, torch.nan))
    assert torch.equal(nothing.value, iterated.value)


def test_the_best_multiple_is_never_worse_than_zero_and_finds_the_solution():
    torch.manual_seed(0)
    C, load = case(AnisotropicDarcy(), (12, 12), 5)
    A = Compact.assemble(C, Domain.unit(2))
    u = banded.solve_banded(A, load)
    v = torch.stack([1e-200 * u[0], 1e200 * torch.randn_like(u[1]), u[2] * torch.nan, -3 * u[3], 0 * u[4]])
    w = best_multiple(v, A, load)
    energy = lambda e: (e * A(e)).flatten(1).sum(1)  # noqa: E731
    assert bool((energy(w - u) <= energy(u) * (1 + 1e-12)).all())
    assert float(relative_residual(A, load, w)[[0, 3]].max()) < 1e-10
    assert float(w[[2, 4]].abs().max()) == 0
