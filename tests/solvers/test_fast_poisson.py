"""One transform solves the difference equations: every boundary, odd and even, short and long axes, complex shifts."""

import pytest
import torch

from references.cases import BOUNDARIES, domain
from vcycle.operators import FiniteVolume
from vcycle.solvers import solve_poisson
from vcycle.spaces import Grid


@pytest.mark.parametrize("shift", [0.0, 2.5, -40.0 + 3.0j])
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("shape", [(12,), (7, 10), (4, 5, 6), (130,), (131, 3), (2, 3, 130)])
def test_solves_the_finite_volume_equations(shape, boundary, shift):
    D = domain(len(shape), boundary)
    f = torch.randn(2, 3, *shape, dtype=torch.float64)
    if D.floating:
        f = f - f.mean(tuple(range(2, f.ndim)), keepdim=True)
    f = f.to(torch.complex128) if isinstance(shift, complex) else f
    u = solve_poisson(f, D, shift)
    volume = torch.tensor(Grid(D, shape).spacing, dtype=torch.float64).prod()
    A = FiniteVolume.assemble(torch.ones(1, 1, *shape, dtype=torch.float64), D)
    Au = torch.complex(A(u.real), A(u.imag)) if u.is_complex() else A(u)
    torch.testing.assert_close(Au / volume + shift * u, f, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("shape", [(6, 5), (3, 140)])
def test_every_sample_has_its_own_shift(shape):
    D, shifts = domain(2, "neumann"), torch.tensor([0.0, 1e-3, 1e14], dtype=torch.float64)
    f = torch.randn(3, 1, *shape, dtype=torch.float64)
    u = solve_poisson(f, D, shifts.view(3, 1, 1, 1))
    for one, g, shift in zip(u, f, shifts.tolist(), strict=True):
        alone = solve_poisson(g[None], D, shift)[0]
        torch.testing.assert_close(one, alone, rtol=1e-12, atol=1e-12 * float(alone.abs().max()))
