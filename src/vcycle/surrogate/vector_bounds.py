"""Which problems with vectors as solutions have a guaranteed bound, and with what data."""

import math

from jaxtyping import Float
from torch import Tensor

from vcycle.hybrid.elasticity_bound import ElasticityBound, elasticity_bound
from vcycle.hybrid.stokes_bound import StokesBound, stokes_bound
from vcycle.problems import Elasticity, Problem, Stokes
from vcycle.spaces import Grid

LARGEST = 128**2  # cells; the elastic bound factorises a matrix with eight unknowns for each


def vector_bound(
    problem: Problem | None, inputs: Float[Tensor, "b i *grid"], v: Float[Tensor, "b c *grid"]
) -> ElasticityBound | StokesBound | None:
    """The bound of a displacement or of a flow (hybrid.elasticity_bound, hybrid.stokes_bound), to the PDE's solution.

    None where no theorem covers the problem: tractions, periodic axes, lids, three dimensions; and for elasticity on
    more than 128 x 128 cells.
    """
    if isinstance(problem, Elasticity):
        if problem.domain.dimension != 2 or problem.force == "traction" or v[0, 0].numel() > LARGEST:
            return None
        if any("periodic" in faces for faces in problem.domain.boundary):
            return None
        E, nu = inputs[:, :1].double(), problem.poisson_ratio
        cell = math.prod(Grid(problem.domain, tuple(v.shape[2:])).spacing)
        lame, shear = E * nu / ((1 + nu) * (1 - 2 * nu)), E / (2 * (1 + nu))
        return elasticity_bound(v, lame, shear, problem.load(inputs) / cell, problem.domain)
    if isinstance(problem, Stokes) and problem.domain.dimension == 2 and problem.drive == "force":
        return stokes_bound(v[:, :2], v[:, 2:], inputs, problem.viscosity, problem.domain)
    return None
