"""The V-cycle of finite elements: self-adjoint, positive, as many iterations on every grid, the rest a direct solve."""

import pytest
import torch

from references.cases import BOUNDARIES, domain
from vcycle.operators import Compact, elements_cycle, elements_multigrid
from vcycle.problems import AnisotropicDarcy, Elasticity, MinimalSurface
from vcycle.solvers import conjugate_gradients
from vcycle.spaces import Domain

HELD = [name for name in BOUNDARIES if name not in ("neumann", "periodic")]


def iterations(P, n: int, limit: int = 200) -> int:
    inputs = P.sample((n,) * P.domain.dimension, 0, range(2))
    C, load = P.moduli(inputs), P.load(inputs)
    A = Compact.assemble(C, P.domain)
    solution = conjugate_gradients(A, load, elements_multigrid(A, C), weight=1 / A.diagonal, most=limit)
    assert bool(solution.converged.all())
    return solution.iterations


@pytest.mark.parametrize("boundary", HELD)
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_it_is_self_adjoint_and_positive_on_any_shape(dimension, boundary):
    torch.manual_seed(0)
    D, shape = domain(dimension, boundary), ((150,), (21, 17), (9, 6, 7))[dimension - 1]
    root = torch.randn(2, dimension, dimension, *shape, dtype=torch.float64)
    C = torch.einsum("bij...,bkj...->bik...", root, root)[:, None, :, None, :, None] + 0.1 * torch.eye(
        dimension, dtype=torch.float64
    ).view(1, 1, dimension, 1, dimension, 1, *[1] * dimension)
    A = Compact.assemble(C, D)
    W = elements_multigrid(A, C).double()
    assert len(W.levels) > 1
    u, v = torch.randn(2, 2, 1, *shape, dtype=torch.float64)
    torch.testing.assert_close((W(u) * v).sum(), (u * W(v)).sum(), rtol=1e-6, atol=1e-8)
    assert bool(((W(u) * u).flatten(1).sum(1) > 0).all())


@pytest.mark.parametrize(
    ("problem", "most"), [(AnisotropicDarcy(ratio=1.0), 14), (AnisotropicDarcy(), 20), (Elasticity(), 20)]
)
def test_iterations_hardly_grow_with_the_grid(problem, most):
    counts = [iterations(problem, n) for n in (16, 32, 64)]
    assert max(counts) <= most


def test_three_dimensions_and_long_boxes():
    assert iterations(AnisotropicDarcy(Domain.unit(3), ratio=3.0), 12) <= 16
    assert iterations(AnisotropicDarcy(Domain([1.0, 8.0]), ratio=1.0), 32) <= 16


@pytest.mark.parametrize("boundary", ["neumann", "mixed", "periodic"])
@pytest.mark.parametrize(("n", "m"), [(16, 8), (15, 8), (3, 2)])
def test_linear_functions_are_interpolated_exactly_up_to_free_faces(boundary, n, m):
    """So a rotation of an unclamped body stays one, and the coarse grid sees that it costs no energy."""
    faces = {"neumann": ("neumann",) * 2, "mixed": ("dirichlet", "neumann"), "periodic": ("periodic",) * 2}[boundary]
    P = elements_cycle._elements(m, n, faces)
    coarse, fine = ((torch.arange(size, dtype=torch.float64) + 0.5) / size for size in (m, n))
    if boundary != "mixed":
        torch.testing.assert_close(P @ torch.ones_like(coarse), torch.ones_like(fine))
    if boundary != "periodic":  # u = x is 0 on the low face too
        torch.testing.assert_close(P @ coarse, fine)


def test_high_contrast_is_not_rounded_to_single_precision():
    D = Domain.unit(2)
    for contrast, dtype in ((10.0, torch.float32), (1e5, torch.float64)):
        a = torch.ones(1, 1, 1, 1, 1, 1, 20, 20, dtype=torch.float64)
        a[..., 10:] = contrast
        C = a * torch.eye(2, dtype=torch.float64).view(1, 1, 2, 1, 2, 1, 1, 1)
        A = Compact.assemble(C, D)
        assert next(elements_multigrid(A, C).buffers()).dtype == dtype


@pytest.mark.parametrize("problem", [AnisotropicDarcy(), AnisotropicDarcy(ratio=300.0), Elasticity()])
def test_smoothing_knows_the_largest_eigenvalue_from_above(problem):
    A = Compact.assemble(problem.moduli(problem.sample((20, 20), 0, range(2))), problem.domain)
    roots = A.diagonal.flatten(1).sqrt()
    largest = float(torch.linalg.eigvalsh(A.dense() / (roots[:, :, None] * roots[:, None])).max())
    assert largest <= elements_cycle._largest_eigenvalue(A) <= elements_cycle.MARGIN * largest


def test_few_iterations_solve_the_tangent_of_a_minimal_surface_roughly():
    P = MinimalSurface()
    E = P.discrete(P.sample((64, 64), 5, range(2)))
    C, reaction = E.tangent(E.start())
    A = Compact.assemble(C[:, :, :, None], P.domain, reaction)
    cycle = elements_multigrid(A, C[:, :, :, None], reaction)
    solution = conjugate_gradients(A, torch.ones_like(E.g), cycle, weight=1 / A.diagonal, tolerance=1e-2)
    assert bool(solution.converged.all()) and solution.iterations <= 4
