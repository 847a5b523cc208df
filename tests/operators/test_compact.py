"""Finite elements on cell centres: the operator is the gradient of the energy, and what elements promise."""

import pytest
import torch

from references.cases import BOUNDARIES, domain
from vcycle.operators import Compact, diffusion_cycles, gradient
from vcycle.operators.elements import subcell_volume
from vcycle.problems.element_matrices import assemble
from vcycle.solvers import conjugate_gradients
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


def test_iterations_with_a_cycle_per_component_do_not_grow_with_the_grid():
    D, iterations = Domain.unit(2, ["dirichlet", ("dirichlet", "neumann")]), []
    for n in (16, 64):
        C = random_moduli(2, 1, (1, 1), 1).expand(2, 1, 2, 1, 2, 1, n, n)
        torch.manual_seed(1)
        f = torch.randn(2, 1, n, n, dtype=torch.float64)
        solution = conjugate_gradients(Compact.assemble(C, D), f, diffusion_cycles(C, D))
        assert bool(solution.converged.all())
        iterations.append(solution.iterations)
    assert iterations[1] <= 1.5 * iterations[0]


def test_grids_without_room_for_ghosts_are_refused():
    with pytest.raises(ValueError, match="3 or more cells per axis"):
        gradient(torch.zeros(1, 1, 2, 5), Domain.unit(2))
