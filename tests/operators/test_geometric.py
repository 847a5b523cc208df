import pytest
import torch

from references.cases import BOUNDARIES, PRIORS, domain
from references.cycles import assert_self_adjoint_and_positive
from vcycle.operators import FiniteVolume, geometric_multigrid


@pytest.mark.parametrize("shape", [(20,), (65,), (12, 12), (13, 9), (6, 6, 6), (5, 8, 3)])
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("prior", ["two_phase", "contrast 1e6"])
def test_the_vcycle_is_self_adjoint_and_positive(shape, boundary, prior):
    D = domain(len(shape), boundary, (1.0, 1.0, 1.0))
    A = FiniteVolume.assemble(PRIORS[prior].sample(D, shape, 1, [0]), D)
    assert_self_adjoint_and_positive(geometric_multigrid(A), D, shape)


@pytest.mark.parametrize("n", [16, 32, 64])
def test_the_preconditioned_condition_number_does_not_grow_with_the_grid(n):
    D = domain(2, "dirichlet", (1.0, 1.0))
    A = FiniteVolume.assemble(PRIORS["two_phase"].sample(D, (n, n), 3, [0]), D)
    B, u = geometric_multigrid(A), torch.randn(1, 1, n, n, dtype=torch.float64)
    largest = smallest = 0.0
    for _ in range(60):
        u = B(A(u))
        largest = float(u.norm())
        u = u / largest
    v = torch.randn_like(u)
    for _ in range(60):
        v = 1.1 * largest * v - B(A(v))
        smallest = 1.1 * largest - float(v.norm())
        v = v / v.norm()
    assert largest / smallest < 8
