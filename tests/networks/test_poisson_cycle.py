"""With textbook wiring and textbook numbers, a layer of MgNO is a multigrid solver of Poisson's equation."""

import pytest
import torch

from vcycle.networks import MgNO
from vcycle.spaces import Domain

ONE = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
LAPLACE = torch.tensor([-1.0, 2.0, -1.0], dtype=torch.float64)
WEIGHTING = torch.tensor([0.25, 0.5, 0.25], dtype=torch.float64)
LINEAR = torch.tensor([0.5, 1.0, 0.5, 0.0], dtype=torch.float64)
DAMPING = 4 / 5
TWO_GRID = 0.137  # of 2 + 2 such Jacobi steps with full weighting in 2-D, by local Fourier analysis


def outer(*vectors: torch.Tensor) -> torch.Tensor:
    product = torch.ones((), dtype=torch.float64)
    for vector in vectors:
        product = product[..., None] * vector
    return product


def solver(n: int, gamma: int) -> MgNO:
    """One layer, one channel, no sigma and no B: f -> W f with h^2 f in mind, so that all grids have the same numbers.

    A is the 5-point stencil, S damped Jacobi, P bilinear, R four times full weighting: h^2 f becomes (2 h)^2 f.
    """
    levels = n.bit_length() - 2  # down to 4 x 4
    network = MgNO(
        1,
        1,
        width=1,
        depth=1,
        iterations=[(2, 2)] * (levels - 1) + [(8, 0)],
        activation="identity",
        residual=True,
        start="zero",
        gamma=gamma,
        shared="levels",
        coordinates=None,
        domain=Domain.unit(2, "periodic"),
    ).double()
    A = outer(LAPLACE, ONE) + outer(ONE, LAPLACE)
    numbers = {"A": A, "S": DAMPING / 4 * outer(ONE, ONE), "R": 4 * outer(WEIGHTING, WEIGHTING)}
    numbers |= {"P": outer(LINEAR, LINEAR), "B": torch.zeros(1), "head": torch.ones(1)}
    for name, parameter in network.named_parameters():
        parameter.data.copy_(numbers[name.split(".")[-2]].expand_as(parameter))
    return network


def five_point(u: torch.Tensor) -> torch.Tensor:
    return 4 * u - u.roll(1, 2) - u.roll(-1, 2) - u.roll(1, 3) - u.roll(-1, 3)


@torch.no_grad()
def factor(n: int, gamma: int) -> float:
    """The factor by which u <- u + W(f - A u) shrinks the error in the end; f = 0, and means are left out."""
    W, u = solver(n, gamma), torch.randn(1, 1, n, n, dtype=torch.float64)
    for _ in range(10):
        before, u = u.norm(), u - W(five_point(u))
        u = u - u.mean()
    return float(u.norm() / before)


def test_five_stencils_are_the_whole_solver():
    assert sum(p.numel() for name, p in solver(64, 1).named_parameters() if ".W." in name) == 9 + 9 + 9 + 16


@pytest.mark.parametrize("n", [16, 32, 64])
def test_v_cycles_converge_at_every_mesh_width(n):
    assert factor(n, gamma=1) < 0.2


@pytest.mark.parametrize("n", [16, 32])
def test_w_cycles_converge_like_two_grids(n):
    assert factor(n, gamma=2) == pytest.approx(TWO_GRID, abs=0.02)


def test_iterated_it_solves_to_round_off():
    W, f = solver(16, 2), torch.randn(1, 1, 16, 16, dtype=torch.float64)
    f = f - f.mean()
    u = torch.zeros_like(f)
    with torch.no_grad():
        for _ in range(16):
            u = u + W(f - five_point(u))
    torch.testing.assert_close(five_point(u), f, rtol=0, atol=1e-12)
