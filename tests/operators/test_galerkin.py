import pytest
import torch

from references.cases import BOUNDARIES
from references.coarsening import SHAPES, coarsened
from vcycle.operators import OperatorInterpolation
from vcycle.operators.galerkin import CHUNK, prescribed_coarsening
from vcycle.operators.parity import Parity


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("axes", [(0,), None])
def test_the_entries_are_those_of_the_product(shape, boundary, axes):
    A, P, coarse = coarsened(shape, boundary, axes=axes)
    v = torch.randn(2, 1, *P.parity.coarse, dtype=torch.float64)
    expected = P.transpose()(A(P(v)))
    torch.testing.assert_close(coarse(v), expected, rtol=0, atol=1e-12 * float(A(P(v)).abs().max()))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_the_equation_holds_between_coarse_points(shape, boundary):
    A, P, _ = coarsened(shape, boundary)
    r = A(P(torch.randn(2, 1, *P.parity.coarse, dtype=torch.float64)))
    between = r[P.parity.places(P.parity.classes[-1])]
    assert float(between.abs().max()) < 1e-12 * float(A.diagonal.max())


@pytest.mark.parametrize("shape", SHAPES)
def test_constants_are_interpolated_exactly_where_nothing_holds_them(shape):
    A, P, _ = coarsened(shape, "neumann")
    ones = A.diagonal.new_ones(2, 1, *P.parity.coarse)
    torch.testing.assert_close(P(ones), torch.ones_like(A.diagonal), rtol=0, atol=1e-9)


def test_on_a_second_grid_the_same_holds():
    A, P, coarse = coarsened((16, 16), "mixed")
    parity = Parity(A.domain, P.parity.coarse, (0, 1))
    weights, coarser = prescribed_coarsening(coarse, parity)
    Q = OperatorInterpolation(weights, parity)
    v = torch.randn(2, 1, 4, 4, dtype=torch.float64)
    expected = Q.transpose()(coarse(Q(v)))
    torch.testing.assert_close(coarser(v), expected, rtol=0, atol=1e-12 * float(coarse.diagonal.max()))


def test_samples_in_chunks_are_those_one_by_one(monkeypatch):
    A, P, coarse = coarsened((8, 8), "dirichlet", samples=5)
    assert CHUNK > 5 * 64
    monkeypatch.setattr("vcycle.operators.galerkin.CHUNK", 130)
    weights, in_chunks = prescribed_coarsening(A, P.parity)
    assert torch.equal(weights, P.weights)
    assert torch.equal(in_chunks.k, coarse.k)
