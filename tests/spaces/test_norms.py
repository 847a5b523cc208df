"""Norms converge to the integrals they stand for, and H-1 is dual to H1."""

import math

import pytest
import torch

from vcycle.spaces import H1, L2, Domain, Energy, Grid, HMinus1, Norm, Space

BOUNDARIES = ["periodic", "dirichlet", "neumann", ("dirichlet", "neumann"), ("neumann", "dirichlet")]


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


def function(domain: Domain, n: int, placement: str) -> torch.Tensor:
    """sin(pi x) cos(pi y) on (0, 1) x (0, 2): Dirichlet in x, Neumann in y."""
    x, y = Grid(domain, (n, 2 * n), placement).mesh()
    return (torch.sin(math.pi * x) * torch.cos(math.pi * y))[None, None]


MIXED = Domain([1.0, 2.0], ["dirichlet", "neumann"])
L2_SQUARED = 0.5
GRADIENT_SQUARED = math.pi**2


@pytest.mark.parametrize("placement", ["cell", "vertex"])
@pytest.mark.parametrize(
    ("norm", "exact"),
    [
        (L2, math.sqrt(L2_SQUARED)),
        (H1, math.sqrt(L2_SQUARED + GRADIENT_SQUARED)),
        (HMinus1, math.sqrt(L2_SQUARED / (1 + 2 * math.pi**2))),
    ],
)
def test_norms_converge_to_integrals_at_order_two(norm, exact, placement):
    def error(n: int) -> float:
        return abs(norm(MIXED, placement)(function(MIXED, n, placement)).item() - exact)

    coarse, fine = error(16), error(32)
    assert fine < 0.27 * coarse or fine < 1e-13 * exact  # the trapezoidal and midpoint rules are exact on these waves
    assert fine < 3e-3 * exact


def test_the_energy_norm_converges_for_a_smooth_coefficient():
    """a = 2 + x: integral of a |grad u|^2 = 2.5 pi^2, u as above (by symmetry of sin^2 and cos^2 about x = 1/2)."""

    def error(n: int) -> float:
        x, _ = Grid(MIXED, (n, 2 * n)).mesh()
        value = Energy(MIXED, (2 + x)[None, None])(function(MIXED, n, "cell")).item()
        return abs(value - math.sqrt(2.5) * math.pi)

    assert error(32) < 0.27 * error(16)


def test_the_square_boundary_counts_for_a_constant_under_dirichlet_conditions():
    """u = 1 with zero at the faces of (0, 1): two jumps over half a cell, |u|^2 = 2 * (1 / (h/2))."""
    u = torch.ones(1, 1, 8, dtype=torch.float64)
    assert H1(Domain.unit(1))(u).item() == pytest.approx(math.sqrt(1 + 2 * 16))


@pytest.mark.parametrize("norm", [L2(MIXED), H1(MIXED), HMinus1(MIXED), Energy(MIXED, random(3, 1, 4, 6).exp())])
def test_norm_axioms(norm: Norm):
    u, v = random(3, 2, 4, 6), random(3, 2, 4, 6).flip(0)
    assert (norm(u + v) <= norm(u) + norm(v) + 1e-12).all()
    torch.testing.assert_close(norm(-2.5 * u), 2.5 * norm(u))
    assert (norm.relative(u, u) == 0).all()
    torch.testing.assert_close(norm.relative(3 * u, u), torch.full((3,), 2.0, dtype=torch.float64))
    parts = torch.stack([norm(u[:, :1]), norm(u[:, 1:])]).square().sum(0).sqrt()
    torch.testing.assert_close(norm(u), parts)  # channels are summed in the square


@pytest.mark.parametrize("first", BOUNDARIES)
@pytest.mark.parametrize("second", BOUNDARIES)
def test_h_minus_one_is_dual_to_h1_on_cells(first, second):
    domain, shape = Domain([1.0, 1.5], [first, second]), (6, 8)
    u, v, h1, dual = random(4, 1, *shape), random(4, 1, *shape).flip(0), H1(domain), HMinus1(domain)
    inner = Space(domain).inner(u, v).abs()
    assert (inner <= dual(u) * h1(v) * (1 + 1e-12)).all()
    assert (dual(u) <= L2(domain)(u)).all() and (L2(domain)(u) <= h1(u)).all()


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_the_duality_is_sharp(boundary):
    """||u||_{-1} = (u, v) / ||v||_1 for a v that is found by maximising: v = (I - Laplacian)^-1 u."""
    domain = Domain([1.0], [boundary])
    u = random(1, 1, 8)
    v = torch.zeros(1, 1, 8, dtype=torch.float64, requires_grad=True)
    half_square = 0.5 * H1(domain)(v + 1e-30).square().sum()  # the quadratic form's matrix by differentiation
    (gradient,) = torch.autograd.grad(half_square, v, create_graph=True)
    rows = [torch.autograd.grad(gradient[0, 0, i], v, retain_graph=True)[0][0, 0] for i in range(8)]
    best = torch.linalg.solve(torch.stack(rows), u[0, 0] / 8)[None, None]
    ratio = Space(domain).inner(u, best) / H1(domain)(best)
    torch.testing.assert_close(HMinus1(domain)(u), ratio)
