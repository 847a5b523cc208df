import pytest
import torch

from references.cases import domain
from vcycle.operators import FiniteVolume
from vcycle.operators.flux_transfer import FluxInterpolation, FluxSum
from vcycle.operators.geometric import Aggregation, Injection
from vcycle.spaces import Domain

CASES = [(1, "dirichlet", (13,)), (2, "neumann", (8, 7)), (2, "periodic", (8, 6)), (3, "mixed", (4, 6, 5))]


def case(dimension, boundary, shape):
    torch.manual_seed(0)
    D = Domain.unit(2, "periodic") if boundary == "periodic" else domain(dimension, boundary)
    a = torch.randn(2, 1, *shape, dtype=torch.float64).mul(2).exp()
    return FiniteVolume.assemble(a, D), tuple(range(dimension))


@pytest.mark.parametrize(("dimension", "boundary", "shape"), CASES)
def test_the_sum_is_the_transpose_of_the_interpolation(dimension, boundary, shape):
    A, axes = case(dimension, boundary, shape)
    P = FluxInterpolation(A, axes, 0.7, 0.3)
    R = FluxSum(P)
    u = torch.randn(2, 1, *[(n + 1) // 2 for n in shape], dtype=torch.float64)
    f = torch.randn(2, 1, *shape, dtype=torch.float64)
    assert float((P(u) * f).sum()) == pytest.approx(float((u * R(f)).sum()), rel=1e-12)


@pytest.mark.parametrize(("dimension", "boundary", "shape"), CASES)
def test_without_share_and_series_it_is_the_classical_transfer(dimension, boundary, shape):
    A, axes = case(dimension, boundary, shape)
    P = FluxInterpolation(A, axes, 0.0, 0.0)
    u = torch.randn(2, 1, *[(n + 1) // 2 for n in shape], dtype=torch.float64)
    torch.testing.assert_close(P(u), Injection(A.domain, axes, shape)(u))
    f = torch.randn(2, 1, *shape, dtype=torch.float64)
    torch.testing.assert_close(FluxSum(P)(f), Aggregation(A.domain, axes)(f))
    torch.testing.assert_close(P.coarse.diagonal, A.coarsen(axes).diagonal)


def test_a_constant_flux_is_interpolated_exactly_at_any_contrast():
    """In one dimension u' = q / a; coarse cells know u at their centres, which are faces of the fine grid."""
    D, n = Domain.unit(1), 16
    torch.manual_seed(0)
    a = torch.randn(1, 1, n, dtype=torch.float64).mul(4).exp()
    A = FiniteVolume.assemble(a, D)
    k = A.faces[0]
    drops = torch.cat([1 / k[..., 1:-1], k.new_zeros(1, 1, 1)], -1)[..., :-1]
    u = torch.cat([1 / k[..., :1], drops], -1).cumsum(-1)  # 0 at the left face, q = 1
    centres = (u[..., 0::2] + u[..., 1::2]) / 2  # half the resistance of the face between
    inside = FluxInterpolation(A, (0,), 1.0, 1.0)(centres)
    torch.testing.assert_close(inside[..., :-1], u[..., :-1], rtol=1e-12, atol=0)
    coarse = FluxInterpolation(A, (0,), 1.0, 1.0).coarse
    flux = coarse.flux(centres)[0]
    torch.testing.assert_close(flux[..., 1:-1], torch.ones_like(flux[..., 1:-1]), rtol=1e-10, atol=0)


def test_where_a_is_constant_series_and_halving_agree():
    A = FiniteVolume.assemble(torch.ones(1, 1, 8, 8, dtype=torch.float64), Domain.unit(2))
    plain, series = (FluxInterpolation(A, (0, 1), 0.5, s).coarse for s in (0.0, 1.0))
    torch.testing.assert_close(plain.diagonal, series.diagonal)
