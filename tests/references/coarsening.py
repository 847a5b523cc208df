"""Diffusion operators with the interpolation that they prescribe and the operator that it leaves."""

import pytest

from references.cases import PRIORS, domain
from vcycle.operators import FiniteVolume, OperatorInterpolation
from vcycle.operators.galerkin import prescribed_coarsening
from vcycle.operators.parity import Parity

SHAPES = [(12,), (13,), (8, 10), (9, 8), (6, 4, 8)]


def coarsened(shape, boundary, prior="contrast 1e6", axes=None, samples=2):
    """A, P and P^T A P as an operator."""
    D = domain(len(shape), boundary, (1.0, 1.0, 1.0))
    axes = tuple(range(len(shape))) if axes is None else axes
    if any(D.periodic(axis) and shape[axis] % 2 for axis in axes):
        pytest.skip("odd and periodic")
    A = FiniteVolume.assemble(PRIORS[prior].sample(D, shape, 1, range(samples)), D)
    parity = Parity(D, shape, axes)
    weights, coarse = prescribed_coarsening(A, parity)
    return A, OperatorInterpolation(weights, parity), coarse
