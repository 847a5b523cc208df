"""Linear elasticity: second order, the patch test, rigid motions, loads on faces, and where locking starts."""

import math
from dataclasses import replace

import pytest
import torch

from references.cases import domain
from vcycle.operators import Compact, gradient
from vcycle.operators.elements import subcell_volume
from vcycle.problems import Elasticity, LogNormal
from vcycle.problems.variational_energy import natural
from vcycle.spaces import L2, Domain, Grid

CLAMPED = Domain.unit(2)


@pytest.mark.parametrize(
    ("dimension", "boundary", "n"),
    [(2, "dirichlet", 16), (2, "mixed", 16), (2, "walls", 32), (3, "mixed", 5)],
)
def test_second_order_on_manufactured_solutions(dimension, boundary, n):
    D, errors = domain(dimension, boundary), []
    P = Elasticity(D, force="gaussian")
    for m in (n, 2 * n):
        E, f, u = P.manufactured((m,) * dimension)
        errors.append(float(L2(D).relative(P.solve(torch.cat([E, f], 1)).value, u)))
    assert math.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.1 if dimension == 2 else 0.5)


def affine(P: Elasticity, shape: tuple[int, ...], matrix: torch.Tensor) -> torch.Tensor:
    """u = M x + (1, 2, ...)."""
    x = torch.stack(Grid(P.domain, shape).mesh())
    shift = torch.arange(1.0, len(shape) + 1, dtype=torch.float64).view(-1, *(1,) * len(shape))
    return (torch.einsum("ij,j...->i...", matrix, x) + shift)[None]


@pytest.mark.parametrize("dimension", [2, 3])
def test_rigid_motions_cost_no_energy_whatever_the_body(dimension):
    P = Elasticity(domain(dimension, "dirichlet"))
    shape = (6, 5, 4)[:dimension]
    root = torch.randn(dimension, dimension, dtype=torch.float64, generator=torch.manual_seed(0))
    A = Compact.assemble(P.moduli(P.sample(shape, 0, [0])), natural(P.domain))
    assert float(A(affine(P, shape, root - root.T)).abs().max()) < 1e-12
    assert float(A(affine(P, shape, root + root.T)).abs().max()) > 1e-2


def test_the_patch_test_linear_displacements_of_a_uniform_body_are_exact():
    """Inner equations hold for u = M x, so that it is the solution with its values on the boundary."""
    P, shape = Elasticity(CLAMPED, LogNormal(sigma=0.0)), (7, 6)
    u = affine(P, shape, torch.tensor([[1.0, 2.0], [-0.5, 3.0]], dtype=torch.float64))
    C = P.moduli(P.sample(shape, 0, [0]))
    free = Compact.assemble(C, natural(P.domain))(u)
    assert float(free[:, :, 2:-2, 2:-2].abs().max()) < 1e-13
    # Clamped to its trace: u = M x + v with v = 0 on the faces, and no force is left for v.
    assert float(work_on(C, u, CLAMPED).abs().max()) < 1e-12
    assert float(work_on(C, u**2, CLAMPED).abs().max()) > 1e-2


def work_on(C: torch.Tensor, u: torch.Tensor, D: Domain) -> torch.Tensor:
    """(sigma(u), grad v) for every v that is 0 on the faces."""
    v = torch.zeros_like(u, requires_grad=True)
    sigma = torch.einsum("bikjl...,bjl...->bik...", C, gradient(u, natural(D)))
    work = (sigma * gradient(v, D)).sum() * subcell_volume(D, tuple(u.shape[2:]))
    return torch.autograd.grad(work, v)[0]


def test_a_bar_in_shear_is_exact_under_traction_and_second_order_under_gravity():
    """Clamped at x = 0, periodic in y: u_y = -x / mu, and -(x - x^2 / 2) / mu."""
    D = Domain([1.0, 0.5], [("dirichlet", "neumann"), "periodic"])
    P, errors = Elasticity(D, LogNormal(sigma=0.0), force="traction"), []
    mu = 1 / (2 * 1.3)
    for n in (8, 16):
        E, x = torch.ones(1, 1, n, 6, dtype=torch.float64), Grid(D, (n, 6)).mesh()[0]
        pulled = P.solve(E).value
        torch.testing.assert_close(pulled[0, 1], -x / mu)
        assert float(pulled[0, 0].abs().max()) < 1e-12
        hanging = replace(P, force="gravity").solve(E).value
        errors.append(float((hanging[0, 1] + (x - x**2 / 2) / mu).abs().max()))
    assert math.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("dimension", [2, 3])
def test_traction_does_the_work_of_the_face(dimension):
    """load(v) is the integral over the face of -v_last, exactly for linear v."""
    D = Domain([1.0, 2.0, 0.5][:dimension], [("dirichlet", "neumann"), *["neumann"] * (dimension - 1)])
    P, shape = Elasticity(D, force="traction"), (5, 4, 6)[:dimension]
    load = P.load(torch.ones(1, 1, *shape, dtype=torch.float64))
    matrix = torch.arange(1.0, dimension**2 + 1, dtype=torch.float64).view(dimension, dimension)
    work = float((load * affine(P, shape, matrix)).sum())
    centre = torch.tensor([1.0, *(length / 2 for length in D.lengths[1:])], dtype=torch.float64)
    face = math.prod(D.lengths[1:])
    assert work == pytest.approx(-face * float(matrix[-1] @ centre + dimension), rel=1e-12)


def test_displacements_are_inverse_to_stiffness_and_reciprocal():
    P = Elasticity(force="gaussian")
    inputs = P.sample((12, 12), 0, [0, 0])
    f = torch.zeros(2, 2, 12, 12, dtype=torch.float64)
    f[0, 0, 3, 4] = f[1, 1, 10, 6] = 1.0
    u = P.solve(torch.cat([inputs[:, :1], f], 1)).value
    torch.testing.assert_close(u[0, 1, 10, 6], u[1, 0, 3, 4])
    torch.testing.assert_close(P.solve(torch.cat([3 * inputs[:, :1], f], 1)).value, u / 3)


def test_elements_do_not_lock_within_the_limit():
    """The error of a smooth solution at 32 x 32 grows by less than 3 from nu = 0.3 to the limit 0.45."""
    errors = []
    for nu in (0.3, 0.45):
        P = Elasticity(CLAMPED, poisson_ratio=nu, force="gaussian")
        E, f, u = P.manufactured((32, 32))
        errors.append(float(L2(CLAMPED).relative(P.solve(torch.cat([E, f], 1)).value, u)))
    assert errors[1] < 3 * errors[0] < 0.05


def test_impossible_problems_are_refused_with_a_sentence():
    with pytest.raises(ValueError, match="needs a dirichlet face"):
        Elasticity(Domain.unit(2, "neumann"))
    with pytest.raises(ValueError, match="beyond which the elements lock"):
        Elasticity(poisson_ratio=0.49)
    with pytest.raises(ValueError, match="make it neumann, or choose another force"):
        Elasticity(CLAMPED, force="traction")
    with pytest.raises(ValueError, match="Young's modulus E must be positive"):
        Elasticity().solve(torch.zeros(1, 1, 8, 8))
