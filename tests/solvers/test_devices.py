"""Solvers answer where their data lie, with the numbers of the processor up to rounding."""

from typing import Any

import pytest
import torch
from torch import Tensor

from references.there import assert_there
from vcycle.operators import classical_cycle, elements_multigrid, geometric_multigrid
from vcycle.operators.sparse_factor import incomplete_cholesky
from vcycle.problems import (
    AnisotropicDarcy,
    Darcy,
    Elasticity,
    Helmholtz,
    HighContrast,
    MinimalSurface,
    PLaplacian,
    SemilinearElliptic,
    Stokes,
)
from vcycle.solvers import Solution, conjugate_gradients, fixed_point, richardson, solve_elliptic, solve_poisson
from vcycle.spaces import Domain

MIXED, ROUND = Domain([1.0, 2.0], [("neumann", "dirichlet"), "dirichlet"]), Domain([1.0, 2.0], ["periodic", "neumann"])


def noise(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def settled(solution: Solution) -> tuple[Tensor, Tensor, int, Tensor]:
    """Without what rounding decides."""
    return solution.value, solution.residual > 1e-6, solution.iterations, solution.converged


@pytest.mark.parametrize("shift", ["none", "one", "each", "complex"])
@pytest.mark.parametrize("domain", [MIXED, ROUND], ids=str)
@pytest.mark.parametrize("shape", [(12, 9), (140, 7)])
def test_fast_transforms(shape: tuple[int, ...], domain: Domain, shift: str):
    f, shifts = noise(0, 3, 1, *shape), {"none": 0.0, "one": 2.0, "complex": complex(-1, 2)}
    s = noise(1, 3, 1, 1, 1).square() if shift == "each" else shifts[shift]
    f = torch.complex(f, noise(2, *f.shape)) if shift == "complex" else f
    # Complex numbers have no absolute value to compare by.
    assert_there(lambda f, s: torch.view_as_real(solve_poisson(f, domain, s) + 0j), f, s)


@pytest.mark.parametrize("contrast", [4.0, 1e6])
@pytest.mark.parametrize("make", ["classical", "geometric", "factor"])
def test_conjugate_gradients_and_their_preconditioners(make: str, contrast: float):
    problem = Darcy(prior=HighContrast(contrast))

    def solution(a: Tensor) -> Any:
        A, load = problem.system(a)
        cycles = {"classical": classical_cycle, "geometric": geometric_multigrid}
        B = cycles[make](A) if make in cycles else incomplete_cholesky(A).inverse(A.domain)
        return settled(conjugate_gradients(A, load, B, start=load, tolerance=1e-8))

    assert_there(solution, problem.sample((24, 20), 0, range(2)), rounding=1e-6)


def test_richardson():
    problem = Darcy()

    def solution(a: Tensor) -> Any:
        A, load = problem.system(a)
        return settled(richardson(A, load, geometric_multigrid(A)))

    assert_there(solution, problem.sample((16, 16), 0, range(2)))


@pytest.mark.parametrize("window", [0, 3])
def test_fixed_points(window: int):
    assert_there(lambda z: settled(fixed_point(torch.cos, z, window=window)), noise(0, 3, 1, 8))


@pytest.mark.parametrize("d", [2, 3])
def test_elements_by_iteration(d: int):
    """Grids on which a factorisation would be slower; here few iterations, to a loose tolerance."""
    problem = Elasticity(Domain.unit(d, [("dirichlet", "neumann"), *["neumann"] * (d - 1)]))

    def solution(E: Tensor) -> Any:
        moduli, load = problem.moduli(E), problem.load(E)
        A = problem.discrete(E).curvature
        found = conjugate_gradients(A, load, elements_multigrid(A, moduli), weight=1 / A.diagonal, tolerance=1e-8)
        reacting = solve_elliptic(moduli, problem.domain, load, reaction=E.expand_as(load), tolerance=1e-8)
        return settled(found), settled(reacting)

    assert_there(solution, problem.sample((10,) * d, 0, range(2)), rounding=1e-6)


@pytest.mark.parametrize(
    "problem",
    [
        AnisotropicDarcy(),
        Elasticity(),
        Stokes(),
        Stokes(drive="lid"),
        Helmholtz(omega=4.0),
        PLaplacian(),
        SemilinearElliptic(),
        MinimalSurface(),
    ],
    ids=lambda p: p.name,
)
def test_starts(problem: Any):
    """Some near the solution, which are refined, and some far from it."""
    x = problem.sample((12, 12), 0, range(2))
    near = problem.solve(x).value
    for start in (near, near * (1 + 0.1 * noise(0, *near.shape)), noise(0, *near.shape)):
        assert_there(lambda x, v: settled(problem.solve(x, start=v)), x, start)
