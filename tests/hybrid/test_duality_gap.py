"""Bounds by the duality gap against thousands of true gaps, with the digits of long doubles."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import Tensor

from references.cases import domain
from references.longdouble import energies, slopes_of
from vcycle.hybrid import energy_bound
from vcycle.hybrid.bregman import energy_distance, energy_of_rest
from vcycle.hybrid.duality_gap import duality_gap, equilibrate_slopes, least_eigenvalue
from vcycle.operators import Compact
from vcycle.problems import LogNormal, MinimalSurface, PLaplacian, SemilinearElliptic, TwoPhase
from vcycle.problems.variational_energy import DiscreteEnergy
from vcycle.spaces import Domain

PROBLEMS = [
    PLaplacian(p=1.5),
    PLaplacian(p=2.0, prior=TwoPhase(1.0, 100.0)),
    PLaplacian(p=3.0, source="gaussian"),
    PLaplacian(p=4.0, prior=LogNormal(sigma=1.5)),
    SemilinearElliptic(),
    MinimalSurface(),
    MinimalSurface(amplitude=3.0),
]
ONE, TWO, THREE, FOUR, SINK, FLAT, STEEP = range(7)
CASES = [
    (ONE, (16,), "dirichlet"),
    (ONE, (4, 5), "mixed"),
    (TWO, (12, 9), "walls"),
    (THREE, (16,), "mixed"),
    (THREE, (12, 9), "dirichlet"),
    (FOUR, (3, 4, 5), "walls"),
    (FOUR, (12, 9), "mixed"),
    (SINK, (4, 5), "walls"),
    (SINK, (3, 4, 5), "mixed"),
    (FLAT, (12, 9), "mixed"),
    (FLAT, (3, 4, 5), "dirichlet"),
    (STEEP, (4, 5), "dirichlet"),
    (STEEP, (12, 9), "walls"),
]
SAMPLES = 4
SLACK = 1e-9
ROUNDING = 1e-17  # of energies: a hundred digits in the last place of a long double


def label(problem) -> str:
    return f"{problem.name}-{getattr(problem, 'p', '')}{getattr(problem, 'amplitude', '')}"


def approximations(u: Tensor, seed: int) -> dict[str, Tensor]:
    g = torch.Generator().manual_seed(seed)
    size = u.abs().flatten(1).amax(1).view(-1, *[1] * (u.ndim - 1))
    noise = torch.randn(u.shape, generator=g, dtype=u.dtype)
    spike, half = torch.zeros_like(u), torch.zeros_like(u)
    spike.flatten(1)[:, u[0].numel() // 2] = 1.0
    half.flatten(1)[:, : u[0].numel() // 2] = 1.0
    return {
        "zero": 0 * u,
        "constant": size + 0 * u,
        "noise": size * noise,
        "opposite": -3 * u,
        "huge": u + 1e6 * size * noise,
        "wrong": u + 0.3 * size * noise,
        "spike": u + size * spike,
        "step": u + 0.1 * size * half,
        "near": u * (1 + 1e-3 * noise),
        "nearer": u * (1 + 1e-6 * noise),
        "nearest": u * (1 + 1e-7 * noise),
        "single": u.float().double(),
        "solution": u,
    }


@dataclass(frozen=True)
class Cases:
    """E and v many times; 2 (E(v) - E(u)), 2 |E(u) - E_0|, and what all digits of the energies add up to."""

    energy: DiscreteEnergy
    v: Tensor
    square: Tensor
    start: Tensor
    size: Tensor


def cases(problem, shape: tuple[int, ...], boundary: str) -> Cases:
    P = replace(problem, domain=domain(len(shape), boundary))
    inputs = P.sample(shape, 0, range(SAMPLES))
    solution = P.solve(inputs, 1e-13)
    assert bool((solution.residual < 1e-10).all())
    v = torch.cat(list(approximations(solution.value, 0).values()))
    count = len(v) // SAMPLES
    E = P.discrete(inputs.repeat(count, *[1] * (inputs.ndim - 1)))
    here, rest = energies(P, E, v.numpy()), energies(P, _flat(E), 0 * v.numpy())
    least = np.tile(energies(P, P.discrete(inputs), solution.value.numpy()), count)
    numbers = (2 * (here - least), 2 * np.abs(least - rest), np.abs(here) + np.abs(least))
    return Cases(E, v, *(torch.from_numpy(x.astype(float)) for x in numbers))


def _flat(E: DiscreteEnergy) -> DiscreteEnergy:
    return DiscreteEnergy(E.integrand, E.domain, E.a, E.c, 0 * E.f, 0 * E.g)


@pytest.mark.parametrize(("number", "shape", "boundary"), CASES)
def test_no_gap_is_larger_than_its_bound(number, shape, boundary):
    """13 pairs of problem and grid x 4 samples x 13 functions: 676 cases, each bounded twice."""
    case, before = cases(PROBLEMS[number], shape, boundary), None
    for tighten in (0, 1):
        bound = duality_gap(case.energy, case.v, tighten=tighten)
        assert bool((bound.value.square() >= case.square * (1 - SLACK) - ROUNDING * case.size).all())
        assert bool((bound.least.square() <= case.start * (1 + SLACK)).all())
        assert bool(bound.value.isfinite().all())
        assert before is None or bool((bound.value <= before).all())
        before = bound.value


@pytest.mark.parametrize("problem", PROBLEMS, ids=label)
def test_the_bound_is_asymptotically_exact(problem):
    """gap / (E(v) - E(u)) - 1 falls with the square of the error: a tenth of the error, a hundredth of the excess."""
    inputs = problem.sample((16, 16), 1, range(3))
    E, u = problem.discrete(inputs), problem.solve(inputs, 1e-13).value
    noise = torch.randn(u.shape, generator=torch.Generator().manual_seed(1), dtype=u.dtype) * u.std()
    excess = []
    for amplitude in (1e-3, 1e-4):
        v = u + amplitude * noise
        true = 2 * torch.from_numpy((energies(problem, E, v.numpy()) - energies(problem, E, u.numpy())).astype(float))
        excess.append(float((duality_gap(E, v).value.square() / true).max()) - 1)
    assert -1e-9 < excess[1] < 0.02 * excess[0] + 1e-4
    assert excess[0] < 0.05


@pytest.mark.parametrize("boundary", ["dirichlet", "periodic"])
def test_for_p_2_it_is_the_energy_norm_and_agrees_with_the_linear_bound(boundary):
    """On an interval, with a = 1, these elements are the finite volumes; `walls` would differ at Neumann faces."""
    D = Domain([1.0, 0.7], ["dirichlet", boundary])
    P = PLaplacian(D, p=2.0, source="gaussian")
    inputs = P.sample((8, 7), 0, range(5))
    E, u = P.discrete(inputs), P.solve(inputs, 1e-13).value
    v = u + torch.randn(u.shape, generator=torch.Generator().manual_seed(0), dtype=u.dtype)
    a = Compact.assemble(E.a[:, :, None, None, None, None] * torch.eye(2).view(1, 1, 2, 1, 2, 1, 1, 1).double(), D)
    norm = ((v - u) * a(v - u)).flatten(1).sum(1).sqrt()
    torch.testing.assert_close(duality_gap(E, v).value, norm, rtol=1e-9, atol=0)
    line = PLaplacian(Domain([0.7]), LogNormal(sigma=0.0), p=2.0, source="gaussian")
    inputs = line.sample((12,), 0, range(5))
    v = torch.randn(5, 1, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    gap = duality_gap(line.discrete(inputs), v)
    linear = energy_bound(v, inputs[:, :1], inputs[:, 1:], line.domain)
    torch.testing.assert_close(gap.value, linear.value, rtol=1e-8, atol=0)
    assert bool((gap.least >= linear.least * (1 - 1e-6)).all())


@pytest.mark.parametrize("problem", [PROBLEMS[i] for i in (ONE, FOUR, SINK, STEEP)], ids=label)
def test_solvers_that_are_not_exact_are_accounted_for(problem):
    """Steps with errors of 1e-5 leave an imbalance; the bound still holds, and is still sharp, or says nothing."""

    class Careless(DiscreteEnergy):
        def step(self, u, gradient, accuracy):
            right = super().step(u, gradient, accuracy)
            g = torch.Generator().manual_seed(0)
            return right * (1 + 1e-5 * torch.randn(right.shape, generator=g, dtype=right.dtype))

        def tangent(self, u):
            moduli, reaction = super().tangent(u)
            return moduli * (1 + 1e-5 * torch.arange(2**self.domain.dimension).view(-1, 1, 1)), reaction

    inputs = problem.sample((8, 8), 2, range(8))
    E, u = problem.discrete(inputs), problem.solve(inputs, 1e-13).value
    careless = Careless(E.integrand, E.domain, E.a, E.c, E.f, E.g)
    noise = torch.randn(u.shape, generator=torch.Generator().manual_seed(1), dtype=u.dtype) * u.std()
    for amplitude in (1e-2, 1e-4, 0.0):
        v = u + amplitude * noise
        every = torch.ones(len(v), dtype=torch.bool)
        rest, exact = (equilibrate_slopes(e, v, every).rest.flatten(1).norm(dim=1) for e in (careless, E))
        assert amplitude == 0 or not bool((rest < 10 * exact).any())  # neither is a number where no slope has the flux
        true = torch.from_numpy((energies(problem, E, v.numpy()) - energies(problem, E, u.numpy())).astype(float))
        bound = duality_gap(careless, v).value
        assert bool((bound.square() / 2 >= true * (1 - SLACK) - 1e-22).all()), (amplitude, bound.square() / 2 / true)
        assert amplitude < 1e-3 or bool((bound < 1.1 * (2 * true).sqrt()).all())


@pytest.mark.parametrize("problem", [PROBLEMS[i] for i in (ONE, THREE, SINK, FLAT)], ids=label)
def test_the_energy_distance_is_that_of_long_doubles(problem):
    inputs = problem.sample((9, 9), 3, range(4))
    E, u = problem.discrete(inputs), problem.solve(inputs, 1e-13).value
    noise = torch.randn(u.shape, generator=torch.Generator().manual_seed(1), dtype=u.dtype) * u.std()
    for amplitude in (1.0, 1e-2, 1e-4, 1e-5, 1e-6):
        v = u + amplitude * noise
        true = 2 * torch.from_numpy((energies(problem, E, v.numpy()) - energies(problem, E, u.numpy())).astype(float))
        found = energy_distance(E, v, u)
        torch.testing.assert_close(found, true.sqrt(), rtol=1e-4, atol=0)
        assert bool((found >= true.sqrt() * (1 - 1e-7)).all())
    here = torch.from_numpy(energies(problem, _flat(E), 0 * u.numpy()).astype(float))
    torch.testing.assert_close(energy_of_rest(E), here, rtol=1e-12, atol=1e-14)


def test_the_gap_of_a_sink_bounds_the_gradient():
    P = SemilinearElliptic()
    inputs = P.sample((12, 12), 0, range(6))
    u = P.solve(inputs, 1e-13).value
    v = 0.8 * u + 0.1 * torch.randn(u.shape, generator=torch.Generator().manual_seed(0), dtype=u.dtype)
    E = P.discrete(inputs)
    slopes = torch.from_numpy((slopes_of(E, (v - u).numpy()) ** 2).astype(float)).sum((1, 2))
    gradient = (slopes / 4 * E.cell).sqrt()
    bound = duality_gap(E, v).value
    assert bool((bound >= gradient).all())
    assert bool((bound < 3 * gradient).all())


@pytest.mark.parametrize("boundary", ["dirichlet", "mixed", "walls"])
@pytest.mark.parametrize("shape", [(16,), (4, 5), (12, 9), (3, 4, 5)], ids=str)
def test_the_eigenvalue_is_a_lower_bound(shape, boundary):
    d, D = len(shape), domain(len(shape), boundary)
    identity = torch.eye(d, dtype=torch.float64).view(1, 1, d, 1, d, 1, *[1] * d).expand(1, 1, d, 1, d, 1, *shape)
    A = Compact.assemble(identity, D).dense()[0] / (math.prod(D.lengths) / math.prod(shape))
    true = float(torch.linalg.eigvalsh(A)[0])
    assert true / 500 < least_eigenvalue(D) <= true


def test_what_cannot_be_bounded_is_infinite_and_leaves_the_others_alone():
    P = PLaplacian(p=4.0)
    inputs = P.sample((6, 6), 0, range(3))
    v = torch.ones(3, 1, 6, 6).double()
    v[1] = 1e200
    E = P.discrete(inputs)
    bound, alone = duality_gap(E, v), duality_gap(P.discrete(inputs[2:]), v[2:])
    assert bound.value.isinf().tolist() == [False, True, False]
    assert bool((bound.relative > 0).all())
    torch.testing.assert_close(bound.value[2:], alone.value)


def test_what_does_not_fit_is_refused():
    P = PLaplacian()
    E = P.discrete(P.sample((6, 6), 0, range(2)))
    with pytest.raises(ValueError, match="must have the shape"):
        duality_gap(E, torch.zeros(1, 1, 6, 6))
    with pytest.raises(ValueError, match="needs a dirichlet face"):
        least_eigenvalue(Domain.unit(2, "neumann"))
