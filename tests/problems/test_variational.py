"""Variational problems: second order, the gradient of one convex energy, scaling laws, exact solutions."""

import itertools
import math
from dataclasses import replace

import pytest
import torch

from references.cases import domain
from vcycle.problems import AnisotropicDarcy, LogNormal, MinimalSurface, PLaplacian, SemilinearElliptic
from vcycle.problems.variational_energy import DiscreteEnergy
from vcycle.solvers import newton, solve_poisson
from vcycle.spaces import L2, Domain, Grid

KINDS = [PLaplacian(p=3.0, epsilon=0.1), PLaplacian(p=1.5, epsilon=0.1), SemilinearElliptic(), MinimalSurface()]
CASES = [(1, "mixed", 64), (2, "dirichlet", 16), (2, "mixed", 16), (2, "walls", 24)]
EXTREME = [
    PLaplacian(p=1.2, epsilon=1e-4),
    PLaplacian(p=8.0, epsilon=1e-4, source="gaussian"),
    MinimalSurface(amplitude=3.0),
    SemilinearElliptic(amplitude=1e5),
]
SMOOTH = [PLaplacian(p=3.0, epsilon=1.0), PLaplacian(p=1.5, epsilon=1.0), SemilinearElliptic()]


def label(problem) -> str:
    return f"{problem.name}-{getattr(problem, 'p', '')}"


def orders(errors: list[float]) -> list[float]:
    return [math.log2(e / finer) for e, finer in itertools.pairwise(errors)]


@pytest.mark.parametrize(("dimension", "boundary", "n"), CASES)
@pytest.mark.parametrize("problem", SMOOTH, ids=label)
def test_second_order_on_manufactured_solutions(problem, dimension, boundary, n):
    P = replace(problem, domain=domain(dimension, boundary))
    P = replace(P, source="gaussian") if isinstance(P, PLaplacian) else P
    errors = []
    for m in (n, 2 * n):
        coefficient, f, u = P.manufactured((m,) * dimension)
        solution = P.solve(torch.cat([coefficient, f], 1))
        assert bool(solution.converged.all())
        errors.append(float(L2(P.domain).relative(solution.value, u)))
    assert orders(errors)[-1] == pytest.approx(2.0, abs=0.1)


def test_second_order_in_three_dimensions():
    P, errors = SemilinearElliptic(Domain.unit(3)), []
    for m in (6, 12):
        c, f, u = P.manufactured((m, m, m))
        errors.append(float(L2(P.domain).relative(P.solve(torch.cat([c, f], 1)).value, u)))
    assert orders(errors)[-1] == pytest.approx(2.0, abs=0.15)


@pytest.mark.parametrize("problem", KINDS, ids=label)
def test_newton_has_the_derivatives_of_the_energy(problem):
    """The step solves E''(u) s = -E'(u), E' and E'' by automatic differentiation of E."""
    E = problem.discrete(problem.sample((6, 5), 0, [3]))
    u = E.start() + 0.1 * torch.randn(1, 1, 6, 5, dtype=torch.float64, generator=torch.manual_seed(0))
    gradient = torch.autograd.functional.jacobian(lambda v: E.value(v).sum(), u)
    torch.testing.assert_close(E.gradient(u), gradient)
    hessian = torch.autograd.functional.hessian(lambda v: E.value(v).sum(), u).view(30, 30)
    assert float(torch.linalg.eigvalsh(hessian)[0]) > 0
    expected = -torch.linalg.solve(hessian, gradient.flatten()).view_as(u)
    torch.testing.assert_close(E.step(u, gradient, 1e-12), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("problem", KINDS, ids=label)
def test_the_energy_falls_and_the_minimum_does_not_depend_on_the_start(problem):
    class Watched(DiscreteEnergy):
        def gradient(self, u):
            seen.append(self.value(u))
            return super().gradient(u)

    seen: list[torch.Tensor] = []
    E = problem.discrete(problem.sample((16, 16), 1, range(2)))
    watched = Watched(E.integrand, E.domain, E.a, E.c, E.f, E.g)
    noise = 0.1 * torch.randn(E.g.shape, dtype=torch.float64, generator=torch.manual_seed(0))
    there = newton(watched, E.g + noise, most=200)
    assert bool(there.converged.all())
    assert all(bool((b <= a + 1e-12 * a.abs()).all()) for a, b in itertools.pairwise(seen))
    assert len(seen) > 3
    torch.testing.assert_close(there.value, newton(E, E.start()).value, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("problem", EXTREME, ids=label)
def test_strong_nonlinearities_are_solved(problem):
    inputs = problem.sample((24, 24), 0, range(3))
    solution = problem.solve(inputs)
    assert bool(solution.converged.all())
    assert solution.iterations < 40
    assert bool((problem.verify(inputs, solution.value) < problem.agreement).all())


def test_with_p_2_it_is_darcy_flow():
    """The same elements with A = a I; and Poisson's equation to second order."""
    D, f = Domain.unit(2), torch.randn(1, 1, 16, 16, dtype=torch.float64, generator=torch.manual_seed(0))
    P, Q = PLaplacian(D, p=2.0, source="gaussian"), AnisotropicDarcy(D, source="gaussian")
    a = P.sample((16, 16), 0, [0])[:, :1]
    u = P.solve(torch.cat([a, f], 1))
    assert u.iterations <= 1
    v = Q.solve(torch.cat([a, torch.zeros_like(a), a, f], 1)).value
    torch.testing.assert_close(u.value, v, rtol=1e-8, atol=1e-10)
    differences = []
    for n in (16, 32):
        x, y = Grid(D, (n, n)).mesh()
        f = torch.exp(x * y)[None, None]
        u = P.solve(torch.cat([torch.ones_like(f), f], 1)).value
        differences.append(float(L2(D).relative(u, solve_poisson(f, D))))
    assert orders(differences)[0] == pytest.approx(2.0, abs=0.2)


@pytest.mark.parametrize("p", [1.5, 4.0])
def test_the_solution_scales_with_a_power_of_the_source(p):
    """u -> t u solves the equation with t epsilon and t^(p - 1) f."""
    t, P = 3.0, PLaplacian(p=p, source="gaussian")
    inputs = P.sample((16, 16), 2, [0])
    scaled = torch.cat([inputs[:, :1], t ** (p - 1) * inputs[:, 1:]], 1)
    u, v = P.solve(inputs).value, replace(P, epsilon=t * P.epsilon).solve(scaled).value
    torch.testing.assert_close(v, t * u, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("p", [1.5, 3.0])
def test_the_p_laplacian_between_two_walls(p):
    """u = (1 - 1/p) ((1/2)^q - |x - 1/2|^q), q = p / (p - 1), for f = 1."""
    q, errors = p / (p - 1), []
    P = PLaplacian(Domain.unit(1), LogNormal(sigma=0.0), p=p, epsilon=1e-4)
    for n in (32, 64, 128):
        x = Grid(P.domain, (n,)).axis(0)
        exact = (1 - 1 / p) * (0.5**q - (x - 0.5).abs() ** q)
        u = P.solve(torch.ones(1, 1, n, dtype=torch.float64)).value[0, 0]
        errors.append(float((u - exact).abs().max() / exact.abs().max()))
    assert errors[-1] < 1e-3
    assert orders(errors)[0] > 1.4


def test_the_radial_solution_of_the_p_laplacian():
    """u = -(1 - 1/p) 2^(1 / (1 - p)) r^(p / (p - 1)) for f = 1 in two dimensions, with its own values on the faces."""
    p, D, errors = 3.0, Domain([(0.2, 1.0), (0.1, 1.1)]), []
    P = PLaplacian(D, p=p, epsilon=1e-4)
    for n in (16, 32, 64):
        x, y = Grid(D, (n, n)).mesh()
        exact = (-(1 - 1 / p) * 2 ** (1 / (1 - p)) * (x**2 + y**2) ** (p / (2 * p - 2)))[None, None]
        one = torch.ones_like(exact)
        E = DiscreteEnergy(P, D, one, 0 * one, one, exact)
        errors.append(float((newton(E, E.start()).value - exact).abs().max()))
    assert orders(errors)[-1] == pytest.approx(2.0, abs=0.25)


def test_sources_of_opposite_sign_have_opposite_solutions_and_larger_sources_larger_ones():
    P = SemilinearElliptic()
    inputs = P.sample((16, 16), 0, [0])
    c, f = inputs[:, :1], inputs[:, 1:]
    u, v, w = (P.solve(torch.cat([c, s], 1)).value for s in (f, -f, f + 20))
    torch.testing.assert_close(u, -v, rtol=1e-7, atol=1e-9)
    assert bool((w > u).all())


def test_a_strong_sink_saturates_at_the_cube_root():
    P = SemilinearElliptic(Domain.unit(2, ["neumann", ("neumann", "dirichlet")]))
    c = torch.full((1, 1, 32, 32), 2.0, dtype=torch.float64)
    u = P.solve(torch.cat([c, 2e6 * torch.ones_like(c)], 1)).value
    assert float(u[0, 0, 5, 0]) == pytest.approx(100.0, rel=1e-6)


def test_impossible_problems_are_refused_with_a_sentence():
    for kind in (PLaplacian, SemilinearElliptic, MinimalSurface):
        with pytest.raises(ValueError, match="needs a dirichlet face"):
            kind(Domain.unit(2, "neumann"))
    with pytest.raises(ValueError, match=r"needs 1.2 <= p <= 8, got 1"):
        PLaplacian(p=1.0)
    with pytest.raises(ValueError, match="epsilon >= 1e-4"):
        PLaplacian(epsilon=0.0)
    with pytest.raises(ValueError, match="positive amplitude"):
        SemilinearElliptic(amplitude=0.0)
    for P, channels in ((PLaplacian(), 1), (SemilinearElliptic(), 2)):
        with pytest.raises(ValueError, match="must be positive everywhere"):
            P.solve(torch.zeros(1, channels, 8, 8))
