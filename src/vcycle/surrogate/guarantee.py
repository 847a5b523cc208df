"""Which problems have a guaranteed bound, and with what data."""

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from vcycle.hybrid import Form, elasticity_bound, energy_bound, stokes_bound
from vcycle.problems import AnisotropicDarcy, Diffusion, Elasticity, Problem, Stokes
from vcycle.spaces import Grid

Inputs = Float[Tensor, "b i *grid"]
Field = Float[Tensor, "b c *grid"]
LARGEST = 128**2  # cells; the elastic bound factorises a matrix with eight unknowns for each


@dataclass(frozen=True)
class Guarantee:
    """The error of `field`, absolute and relative to the solution, is at most this; `form` as in `hybrid.Bound`."""

    bound: Float[Tensor, " b"]
    relative: Float[Tensor, " b"]
    field: Float[Tensor, "b _ *points"]
    form: Form


def guarantee(problem: Problem | None, inputs: Inputs, v: Field, form: Form, tighten: int) -> Guarantee | None:
    """The bound of v as an answer to the problem, None where no theorem covers it.

    Tensors, displacements and flows have the continuum form, whatever is asked for, and the latter two nothing to
    tighten. Not covered: tractions, periodic axes and three dimensions of elastic bodies, or more than 128 x 128 cells;
    lids and three dimensions of flows; nonlinear equations; time but for single implicit steps.
    """
    if isinstance(problem, Diffusion):
        (a, f), c = problem.fields(inputs), problem.reaction(inputs)
        result = energy_bound(v, a, f, problem.domain, reaction=c, form=form, tighten=tighten)
    elif isinstance(problem, AnisotropicDarcy):
        (a, f), form = problem.tensor(inputs), "continuum"
        result = energy_bound(v, a, f, problem.domain, form=form, tighten=tighten)
    elif isinstance(problem, Elasticity) and _covered(problem, v):
        E, nu, form = inputs[:, :1].double(), problem.poisson_ratio, "continuum"
        cell = math.prod(Grid(problem.domain, tuple(v.shape[2:])).spacing)
        lame, shear = E * nu / ((1 + nu) * (1 - 2 * nu)), E / (2 * (1 + nu))
        result = elasticity_bound(v, lame, shear, problem.load(inputs) / cell, problem.domain)
    elif isinstance(problem, Stokes) and problem.domain.dimension == 2 and problem.drive == "force":
        result, form = stokes_bound(v[:, :2], v[:, 2:], inputs, problem.viscosity, problem.domain), "continuum"
    else:
        return None
    return Guarantee(result.value, result.relative, result.field, form)


def _covered(problem: Elasticity, v: Field) -> bool:
    flat = problem.domain.dimension == 2 and v[0, 0].numel() <= LARGEST
    return flat and problem.force != "traction" and not any("periodic" in faces for faces in problem.domain.boundary)
