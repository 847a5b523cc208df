"""The modes of fast transforms are the eigenfunctions of the difference Laplacian, all of them."""

import math

import pytest
import torch

from references.cases import BOUNDARIES, domain
from vcycle.operators import FiniteVolume
from vcycle.spaces import Basis, Grid, PairedModes


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("shape", [(1,), (8,), (7,), (6, 5), (4, 3, 6)])
def test_the_laplacian_is_diagonal_in_them(shape, boundary):
    D = domain(len(shape), boundary)
    modes, u = PairedModes(D, shape), torch.randn(2, 1, *shape, dtype=torch.float64)
    torch.testing.assert_close(modes.synthesise(modes.analyse(u)), u)
    A = FiniteVolume.assemble(torch.ones_like(u[:1]), D)
    image = modes.synthesise(modes.analyse(u) * modes.laplacian()) * math.prod(Grid(D, shape).spacing)
    torch.testing.assert_close(image, A(u), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("n", [6, 7])
def test_a_mode_of_the_basis_is_found_where_its_eigenvalue_is(n, boundary):
    D = domain(1, boundary)
    modes, basis = PairedModes(D, (n,)), Basis(D)
    own = basis.laplacian((n,), Grid(D, (n,)).spacing)
    c = modes.analyse(basis.synthesise(torch.eye(n, dtype=torch.float64), (n,)))
    other = (modes.laplacian() - own[:, None]).abs() > 1e-9 * own.max()
    assert float(c[other].abs().max()) < 1e-12 * float(c.abs().max())
