import pytest
import torch

from references.cases import BOUNDARIES, domain
from vcycle.operators import FiniteVolume
from vcycle.spaces import Basis, Grid


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_symmetric_positive_and_the_same_with_and_without_gradients(dimension, boundary):
    D = domain(dimension, boundary)
    shape = (5, 4, 6)[:dimension]
    a = torch.rand(2, 1, *shape, dtype=torch.float64) + 0.1
    A = FiniteVolume.assemble(a, D)
    matrix = A.dense()
    torch.testing.assert_close(matrix, matrix.mT, rtol=0, atol=1e-12)
    smallest = torch.linalg.eigvalsh(matrix)[:, 0]
    if D.floating:
        torch.testing.assert_close(A(torch.ones_like(a)), torch.zeros_like(a), rtol=0, atol=1e-12)
    else:
        assert bool((smallest > 1e-6).all())
    u = torch.rand_like(a).requires_grad_()
    with torch.no_grad():
        fast = A(u)
    torch.testing.assert_close(A(u), fast, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_constant_coefficient_has_the_basis_as_eigenvectors(boundary):
    D, shape = domain(2, boundary), (6, 8)
    A = FiniteVolume.assemble(torch.ones(1, 1, *shape, dtype=torch.float64), D)
    basis, grid = Basis(D), Grid(D, shape)
    u = torch.rand(1, 1, *shape, dtype=torch.float64)
    h = grid.spacing
    spectral = basis.synthesise(basis.analyse(u) * basis.laplacian(shape, h) * h[0] * h[1], shape)
    torch.testing.assert_close(A(u), spectral, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_coarsening_a_constant_coefficient_gives_the_operator_of_the_coarse_grid(boundary):
    D = domain(3, boundary)
    fine = FiniteVolume.assemble(torch.full((1, 1, 4, 8, 6), 3.0), D)
    coarse = FiniteVolume.assemble(torch.full((1, 1, 2, 4, 3), 3.0), D)
    for k, expected in zip(fine.coarsen((0, 1, 2)).faces, coarse.faces, strict=True):
        torch.testing.assert_close(k, expected)
    semi = FiniteVolume.assemble(torch.full((1, 1, 4, 4, 6), 3.0), D)
    for k, expected in zip(fine.coarsen((1,)).faces, semi.faces, strict=True):
        torch.testing.assert_close(k, expected)


def test_norm_bound_holds():
    A = FiniteVolume.assemble(torch.rand(3, 1, 6, 6, dtype=torch.float64) + 0.1, domain(2, "walls"))
    assert float(torch.linalg.matrix_norm(A.dense(), 2).max()) <= A.norm_bound()
