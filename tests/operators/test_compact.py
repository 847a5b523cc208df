"""Finite elements on cell centres: the operator is the gradient of the energy, and what elements promise."""

import pytest
import torch

from references.cases import BOUNDARIES, domain
from vcycle.operators import Compact, compact, gradient, gradient_transposed
from vcycle.operators.elements import subcell_volume
from vcycle.problems.element_matrices import assemble
from vcycle.spaces import Domain, Grid


def random_moduli(d: int, channels: int, shape: tuple[int, ...], subcells: int) -> torch.Tensor:
    """Symmetric positive moduli, another in every subcell."""
    n = channels * d
    root = torch.randn(2, n, n, subcells, *shape, dtype=torch.float64)
    product = torch.einsum("bij...,bkj...->bik...", root, root)
    return product.reshape(2, channels, d, channels, d, subcells, *shape)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_the_operator_is_the_gradient_of_the_energy_and_the_matrix_of_one_dimensional_ones(
    dimension, boundary, channels
):
    torch.manual_seed(0)
    D, shape = domain(dimension, boundary), (5, 4, 3)[:dimension]
    C = random_moduli(dimension, channels, shape, 2**dimension)
    A = Compact.assemble(C, D)
    u = torch.randn(2, channels, *shape, dtype=torch.float64, requires_grad=True)
    p = gradient(u, D)
    energy = 0.5 * (torch.einsum("bikjl...,bjl...->bik...", C, p) * p).sum() * subcell_volume(D, shape)
    (slope,) = torch.autograd.grad(energy, u)
    with torch.no_grad():
        torch.testing.assert_close(A(u), slope, rtol=1e-12, atol=1e-11)
        assert abs(A.to_scipy(1) - assemble(C[1].numpy(), D)).max() < 1e-12 * abs(A.to_scipy(1)).max()
        v = torch.randn_like(u)
        torch.testing.assert_close((A(u) * v).sum(), (u * A(v)).sum())
        assert torch.equal(A.diagonal[1].flatten(), torch.from_numpy(A.to_scipy(1).diagonal()))


def test_gradients_of_linear_functions_are_exact_up_to_free_faces():
    D = Domain([1.0, 2.0], "neumann")
    x, y = Grid(D, (5, 4)).mesh()
    p = gradient((3 * x - 2 * y + 1)[None, None], D)
    torch.testing.assert_close(p[0, 0, 0], torch.full_like(p[0, 0, 0], 3.0))
    torch.testing.assert_close(p[0, 0, 1], torch.full_like(p[0, 0, 1], -2.0))


def test_reactions_are_lumped():
    D, C = Domain.unit(1, "neumann"), torch.ones(1, 1, 1, 1, 1, 1, 6, dtype=torch.float64)
    r = torch.rand(1, 1, 6, dtype=torch.float64)
    u = torch.rand(1, 1, 6, dtype=torch.float64)
    torch.testing.assert_close(Compact.assemble(C, D, r)(u) - Compact.assemble(C, D)(u), r * u / 6)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_the_transpose_of_the_gradient_and_the_dense_matrix(dimension, boundary):
    torch.manual_seed(0)
    D, shape = domain(dimension, boundary), (5, 4, 3)[:dimension]
    u = torch.randn(2, 2, *shape, dtype=torch.float64)
    p = gradient(u, D)
    flux = torch.randn_like(p)
    torch.testing.assert_close((gradient_transposed(flux, D) * u).sum(), (flux * p).sum())
    A = Compact.assemble(random_moduli(dimension, 2, shape, 1), D)
    torch.testing.assert_close((A.dense() @ u.flatten(1)[..., None])[..., 0], A(u).flatten(1))
    assert abs(A.to_scipy(0) - A.dense()[0].numpy()).max() == 0


def test_constants_float_without_dirichlet_faces_and_reactions():
    C = random_moduli(2, 2, (1, 1), 1).expand(2, 2, 2, 2, 2, 1, 5, 4)
    r = torch.rand(2, 1, 5, 4, dtype=torch.float64)
    for boundary in BOUNDARIES:
        D = domain(2, boundary)
        assert Compact.assemble(C, D).floating == D.floating
        assert not Compact.assemble(C, D, r).floating


def test_grids_without_room_for_ghosts_are_refused():
    with pytest.raises(ValueError, match="3 or more cells per axis"):
        gradient(torch.zeros(1, 1, 2, 5), Domain.unit(2))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_pair_by_pair_and_row_by_row_are_the_same_sum(monkeypatch, dimension, boundary, channels):
    torch.manual_seed(0)
    D, shape = domain(dimension, boundary), (5, 4, 3)[:dimension]
    A = Compact.assemble(random_moduli(dimension, channels, shape, 1), D)
    u, f = torch.randn(2, 2, channels, *shape, dtype=torch.float64)
    rows, rest = A(u), A.residual(f, u)
    monkeypatch.setattr(compact, "LARGE", 1)
    size = float(rows.abs().max())
    torch.testing.assert_close(A(u), rows, rtol=0, atol=1e-14 * size)
    torch.testing.assert_close(A.residual(f, u), rest, rtol=0, atol=1e-14 * size)
