import pytest
import torch

from references.cases import BOUNDARIES, PRIORS, domain
from references.cycles import dense
from vcycle.operators import Chebyshev, FiniteVolume


def of_finite_volumes(boundary, shape, prior="two_phase", samples=2):
    D = domain(len(shape), boundary, (1.0, 1.5, 0.7))
    return FiniteVolume.assemble(PRIORS[prior].sample(D, shape, 0, range(samples)), D)


@pytest.mark.parametrize("shape", [(9,), (6, 7), (8, 1), (4, 3, 5)])
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("steps", [1, 3, 4])
def test_from_any_start_it_adds_what_it_makes_of_the_residual(boundary, shape, steps):
    A = of_finite_volumes(boundary, shape)
    S = Chebyshev(A, steps)
    u, f = torch.randn(2, 2, 1, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(S.improved(u, f), u + S(f - A(u)), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_with_gradients_it_does_the_same(boundary):
    S = Chebyshev(of_finite_volumes(boundary, (6, 7)))
    u, f = torch.randn(2, 2, 1, 6, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(S.improved(u.requires_grad_(), f), S.improved(u.detach(), f), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 3, 5])
def test_its_polynomial_is_that_of_chebyshev(steps):
    """1 - x p(x) = T((middle - x) / radius) / T(middle / radius) at every eigenvalue x of D^-1 A."""
    A = of_finite_volumes("dirichlet", (6, 5), "contrast 1e6", samples=1)
    matrix = A.dense()[0]
    scaled = A.diagonal[0].flatten().rsqrt()
    x, v = torch.linalg.eigh(scaled[:, None] * matrix * scaled)
    error = torch.eye(30, dtype=torch.float64) - dense(Chebyshev(A, steps), (6, 5)) @ matrix
    found = (v.T @ (error / scaled[:, None] * scaled) @ v).diagonal()

    def chebyshev(t):
        return torch.special.chebyshev_polynomial_t(t, steps)

    expected = chebyshev((1.2 - x) / 0.8) / chebyshev(torch.tensor(1.5, dtype=torch.float64))
    torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-9)


def test_the_error_polynomial_stays_below_one():
    A = of_finite_volumes("neumann", (8, 8), "contrast 1e6", samples=1)
    error = torch.eye(64, dtype=torch.float64) - dense(Chebyshev(A), (8, 8)) @ A.dense()[0]
    assert float(torch.linalg.eigvals(error).abs().max()) < 1 + 1e-9
