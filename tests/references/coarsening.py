"""Diffusion operators with the interpolation that they prescribe and the operator that it leaves."""

import pytest

from references.cases import PRIORS, domain
from vcycle.operators import FiniteVolume, OperatorInterpolation
from vcycle.operators.galerkin import prescribed_coarsening
from vcycle.operators.parity import Parity

SHAPES = [(12,), (13,), (8, 10), (9, 8), (6, 4, 8)]


def parity(shape, boundary, axes=None):
    D = domain(len(shape), boundary, (1.0, 1.0, 1.0))
    axes = tuple(range(len(shape))) if axes is None else axes
    if any(D.periodic(axis) and shape[axis] % 2 for axis in axes):
        pytest.skip("odd and periodic")
    return Parity(D, shape, axes)


def coarsened(shape, boundary, axes=None, samples=2):
    """A, P and P^T A P as an operator."""
    grids = parity(shape, boundary, axes)
    A = FiniteVolume.assemble(PRIORS["contrast 1e6"].sample(grids.domain, shape, 1, range(samples)), grids.domain)
    weights, coarse = prescribed_coarsening(A, grids)
    return A, OperatorInterpolation(weights, grids), coarse
