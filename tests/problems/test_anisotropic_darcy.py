"""Anisotropic Darcy flow: second order for full tensors, symmetry, two methods, the ratio as stated."""

import itertools
import math

import pytest
import torch

from references.cases import domain
from vcycle.operators import Compact, elements_multigrid
from vcycle.problems import AnisotropicDarcy, LogNormal
from vcycle.solvers import conjugate_gradients
from vcycle.spaces import L2, Domain


@pytest.mark.parametrize(
    ("dimension", "boundary", "n"),
    [(2, "dirichlet", 16), (2, "mixed", 16), (2, "walls", 32), (3, "mixed", 6)],
)
def test_second_order_on_manufactured_solutions(dimension, boundary, n):
    D, errors = domain(dimension, boundary), []
    P = AnisotropicDarcy(D, source="gaussian")
    for m in (n, 2 * n):
        a, f, u = P.manufactured((m,) * dimension)
        errors.append(float(L2(D).relative(P.solve(torch.cat([a, f], 1)).value, u)))
    assert math.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.1 if dimension == 2 else 0.3)


@pytest.mark.parametrize("dimension", [2, 3])
def test_the_tensor_has_the_stated_ratio_and_the_prior_along_the_fibres(dimension):
    P = AnisotropicDarcy(Domain.unit(dimension), LogNormal(sigma=0.7), ratio=30.0)
    shape = (9,) * dimension
    inputs = P.sample(shape, 5, range(3))
    A = P.moduli(inputs)[:, 0, :, 0, :, 0].movedim((1, 2), (-2, -1))
    eigenvalues = torch.linalg.eigvalsh(A)
    k = P.prior.sample(P.domain, shape, 5, range(3))[:, 0]
    torch.testing.assert_close(eigenvalues[..., -1], k)
    for across in eigenvalues[..., :-1].unbind(-1):
        torch.testing.assert_close(across, k / 30)


def test_fibres_turn_with_the_rotation_and_every_sample_has_its_own_direction():
    P = AnisotropicDarcy(rotation=0.0, prior=LogNormal(sigma=0.0))
    a = P.sample((8, 8), 0, range(4))
    torch.testing.assert_close(a, a[:, :, :1, :1].expand(a.shape))
    assert len(a[:, 1, 0, 0].unique()) == 4
    assert float(AnisotropicDarcy().sample((8, 8), 0, [0])[0, 1].std()) > 0.01


@pytest.mark.parametrize("ratio", [1.0, 100.0, 1000.0])
def test_the_iteration_for_fine_grids_agrees_with_the_direct_solution(ratio):
    """And takes at most about ratio^(1/2) times as many iterations, far fewer at high ratio."""
    P = AnisotropicDarcy(Domain.unit(2, ["dirichlet", ("neumann", "dirichlet")]), ratio=ratio)
    a = P.sample((32, 32), 0, range(2))
    C, load = P.moduli(a), P.load(a)
    A = Compact.assemble(C, P.domain)
    solution = conjugate_gradients(A, load, elements_multigrid(A, C), weight=1 / A.diagonal, most=400)
    assert solution.iterations <= (14 if ratio == 1 else 60)
    torch.testing.assert_close(solution.value, P.solve(a).value, rtol=1e-7, atol=1e-9)


def test_axes_may_be_exchanged():
    P = AnisotropicDarcy()
    a = P.sample((16, 16), 0, [0])
    u = P.solve(a).value
    turned = a.movedim(2, 3)[:, [2, 1, 0]]
    torch.testing.assert_close(P.solve(turned).value, u.movedim(2, 3))


def test_source_and_receiver_may_be_exchanged():
    P = AnisotropicDarcy(Domain.unit(2, [("dirichlet", "neumann"), "periodic"]), source="gaussian")
    f = torch.zeros(2, 1, 12, 12, dtype=torch.float64)
    f[0, 0, 3, 4] = f[1, 0, 10, 11] = 1.0
    u = P.solve(torch.cat([P.sample((12, 12), 0, [0, 0])[:, :3], f], 1)).value
    torch.testing.assert_close(u[0, 0, 10, 11], u[1, 0, 3, 4])


def test_fibres_along_the_x_axis_conduct_along_it_alone():
    """A ratio of 1000 leaves u'' = -1 along every fibre between walls, with free sides."""
    P = AnisotropicDarcy(Domain.unit(2, ["dirichlet", "neumann"]))
    one = torch.ones(1, 1, 32, 32, dtype=torch.float64)
    rows = one.clone()
    rows[..., 16:] = 4.0
    u = P.solve(torch.cat([rows, 0 * one, 1e-4 * one], 1)).value
    x = (torch.arange(32, dtype=torch.float64) + 0.5) / 32
    for column, k in ((4, 1.0), (28, 4.0)):
        torch.testing.assert_close(u[0, 0, :, column], x * (1 - x) / (2 * k), rtol=5e-3, atol=1e-3)


def test_impossible_problems_are_refused_with_a_sentence():
    with pytest.raises(ValueError, match="1 <= ratio <= 1000"):
        AnisotropicDarcy(ratio=0.5)
    with pytest.raises(ValueError, match="two or three dimensions"):
        AnisotropicDarcy(Domain.unit(1))
    with pytest.raises(ValueError, match="needs a dirichlet face"):
        AnisotropicDarcy(Domain.unit(2, "periodic"))
    with pytest.raises(ValueError, match="positive definite everywhere, it is not in 64 cells"):
        AnisotropicDarcy().solve(torch.tensor([1.0, 2.0, 1.0]).view(1, 3, 1, 1).expand(1, 3, 8, 8))


def test_coarse_solutions_approach_fine_ones():
    P = AnisotropicDarcy(ratio=20.0)
    differences = []
    for n in (9, 27):
        coarse = P.solve(P.sample((n, n), 0, range(2))).value
        fine = P.solve(P.sample((3 * n, 3 * n), 0, range(2))).value[:, :, 1::3, 1::3]
        differences.append(float(L2(P.domain).relative(coarse, fine).max()))
    assert all(finer < before / 2.5 for before, finer in itertools.pairwise(differences))
