"""Operators of finite rank: rank, closed adjoint, norm, and what is refused."""

import math

import pytest
import torch

from vcycle.networks.point_functions import PointFunctions
from vcycle.operators import FiniteRank, Functions
from vcycle.spaces import Domain, Space

DOMAIN = Domain([2.0, 1.0], [("dirichlet", "neumann"), "periodic"])


class Constants(Functions):
    """Functions that are the same everywhere."""

    def __init__(self, *values: float):
        super().__init__(len(values))
        self.values = torch.tensor(values, dtype=torch.float64)

    def forward(self, points):
        values = self.values.view(1, -1, *(1,) * (points.ndim - 2))
        return values.expand(1, self.count, *points.shape[2:])

    def bound(self):
        return float(self.values.norm())


def operator(rank: int = 2, *, entries: bool = False, activation: str = "sine") -> FiniteRank:
    torch.manual_seed(0)
    source, target = Space(DOMAIN, 2), Space(DOMAIN, 3)
    counts = (6 * rank, 6 * rank) if entries else (3 * rank, 2 * rank)
    phi, psi = (PointFunctions(DOMAIN, n, width=8, depth=2, activation=activation, features=2) for n in counts)
    return FiniteRank(source, target, phi, psi, rank, entries=entries).double()


def matrix(W: FiniteRank, shape: tuple[int, int]) -> torch.Tensor:
    """(o, points, i, points) by applying W to unit vectors."""
    n = math.prod(shape)
    units = torch.eye(2 * n, dtype=torch.float64).view(2 * n, 2, *shape)
    return W(units).detach().flatten(2).permute(1, 2, 0).unflatten(2, (2, n))


def test_the_integral_of_u_times_a_constant():
    space = Space(DOMAIN, 1)
    W = FiniteRank(space, space, Constants(3.0), Constants(1.0), 1)
    u = torch.rand(4, 1, 6, 5, dtype=torch.float64)
    torch.testing.assert_close(W(u), (3 * 2 * u.mean((2, 3), keepdim=True)).expand_as(u))
    assert W.norm_bound() == pytest.approx(6.0)  # and the norm: a constant function is mapped to 6 times itself


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_whole_matrix_has_the_rank(rank):
    full = matrix(operator(rank), (5, 6)).flatten(2).flatten(0, 1)
    assert int(torch.linalg.matrix_rank(full, rtol=1e-10)) == rank


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_with_entries_each_block_has_the_rank(rank):
    blocks = matrix(operator(rank, entries=True), (5, 6)).permute(0, 2, 1, 3)
    assert torch.linalg.matrix_rank(blocks, rtol=1e-10).unique().tolist() == [rank]
    assert int(torch.linalg.matrix_rank(blocks.permute(0, 2, 1, 3).reshape(90, 60), rtol=1e-10)) > rank


@pytest.mark.parametrize("entries", [False, True])
def test_the_adjoint_swaps_phi_and_psi(entries):
    W = operator(entries=entries)
    adjoint = W.adjoint()
    assert isinstance(adjoint, FiniteRank)
    M, N = matrix(W, (5, 6)), adjoint(torch.eye(90, dtype=torch.float64).view(90, 3, 5, 6)).detach()
    # On cells all quadrature weights are the same, so the adjoint is the transpose.
    torch.testing.assert_close(N.flatten(1), M.flatten(2).flatten(0, 1))


@pytest.mark.parametrize("entries", [False, True])
@pytest.mark.parametrize("activation", ["sine", "tanh", "gelu"])
def test_the_norm_bound_holds_at_every_resolution(entries, activation):
    W = operator(entries=entries, activation=activation)
    for shape in ((4, 4), (8, 12), (20, 16)):
        M = matrix(W, shape).flatten(2).flatten(0, 1)
        assert float(torch.linalg.matrix_norm(M, 2)) <= W.norm_bound()


def test_functions_without_a_bound_give_no_norm_bound():
    assert operator(activation="softplus").norm_bound() is None


def test_the_number_of_functions_has_to_fit():
    space = Space(DOMAIN, 2)
    with pytest.raises(ValueError, match="of rank 3 from 2 to 2 channels has phi and psi of 6 and 6 functions, got 1"):
        FiniteRank(space, space, Constants(1.0), Constants(1.0), 3)
