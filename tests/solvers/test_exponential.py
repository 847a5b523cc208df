"""Exponential schemes: phi functions to full precision, order four, and exactness for linear equations."""

import cmath
import itertools
import math

import pytest
import torch

from vcycle.solvers import ETDRK4, FourierGrid, IntegratingFactorRK4, Radau, Semilinear
from vcycle.solvers.exponential import phi
from vcycle.spaces import Domain

SCHEMES = [ETDRK4, IntegratingFactorRK4]
GRID = FourierGrid(Domain.unit(1, "periodic"), (2,))


def exact_phi(n: int, z: complex) -> complex:
    """By the power series where it converges fast, else by the definition."""
    if abs(z) < 8:
        return sum(z**j / math.factorial(j + n) for j in range(80))
    return (cmath.exp(z) - sum(z**j / math.factorial(j) for j in range(n))) / z**n


@pytest.mark.parametrize("z", [0.0, 1e-9, -1e-4, 0.3, -2.0, 5.0, -50.0, -1e5])
@pytest.mark.parametrize("turned", [False, True])
def test_phi_functions_have_full_precision(z, turned):
    point = complex(0, z) if turned else z
    found = phi(torch.tensor([point], dtype=torch.complex128 if turned else torch.float64), 3)
    for n in (1, 2, 3):
        expected = exact_phi(n, point)
        assert abs(found[n - 1].item() - expected) < 3e-14 * max(1.0, abs(expected))


def logistic(linear: float) -> Semilinear:
    """u' = linear u - u^2, of which u = linear / (1 + (linear / u_0 - 1) exp(-linear t)) is the solution."""
    return Semilinear(GRID, torch.tensor(linear, dtype=torch.float64), lambda u: -u * u)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("linear", [1.0, -2.0])
def test_fourth_order(scheme, linear):
    start = 0.7
    exact = linear / (1 + (linear / start - 1) * math.exp(-linear))
    errors = []
    for steps in (4, 8, 16):
        u, step = torch.full((1, 1, 1), start, dtype=torch.complex128), scheme(logistic(linear), 1 / steps)
        for _ in range(steps):
            u = step(u)
        errors.append(abs(u.item() - exact))
    orders = [math.log2(a / b) for a, b in itertools.pairwise(errors)]
    assert orders[-1] == pytest.approx(4.0, abs=0.25)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_linear_equations_are_exact_in_one_step(scheme):
    symbol = torch.tensor([0.0, -3.0 + 2.0j, -1e3, 50.0j], dtype=torch.complex128)
    u = torch.tensor([[[1.0, 2.0j, 3.0, 1.0 + 1.0j]]], dtype=torch.complex128)
    found = scheme(Semilinear(GRID, symbol, torch.zeros_like), 0.7)(u)
    torch.testing.assert_close(found, u * (0.7 * symbol).exp(), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("rate", [-1.0, 2.0j, -0.5 + 3.0j])
def test_radau_has_order_five_for_linear_equations(rate):
    errors = []
    for steps in (4, 8, 16):
        equation = Semilinear(GRID, torch.tensor([rate], dtype=torch.complex128), torch.zeros_like)
        u, step = torch.ones(1, 1, 1, dtype=torch.complex128), Radau(equation, 1 / steps)
        for _ in range(steps):
            u = step(u)
        errors.append(abs(u.item() - cmath.exp(rate)))
    assert math.log2(errors[-2] / errors[-1]) == pytest.approx(5.0, abs=0.2)


def test_radau_damps_what_is_stiff():
    equation = Semilinear(GRID, torch.tensor([-1e8], dtype=torch.float64), torch.zeros_like)
    assert abs(Radau(equation, 1.0)(torch.ones(1, dtype=torch.float64)).item()) < 1e-7
