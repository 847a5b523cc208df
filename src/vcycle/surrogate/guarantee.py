"""Which problems have a guaranteed bound, and with what data."""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from vcycle.hybrid import Form, duality_gap, elasticity_bound, energy_bound, stokes_bound
from vcycle.problems import AnisotropicDarcy, Diffusion, Elasticity, Problem, Stokes, Variational

Inputs = Float[Tensor, "b i *grid"]
Field = Float[Tensor, "b c *grid"]
Measure = Literal["energy norm", "gradient norm", "energy distance"]


@dataclass(frozen=True)
class Guarantee:
    """The error of `field`, absolute and relative to the solution, is at most this; `form` as in `hybrid.Bound`.

    measure   how errors are measured: in the 'energy norm' of a linear equation; for flows in the 'gradient norm'
              ||grad(.)|| of the velocity; for the minima u of convex energies E by the 'energy distance'
              (2 (E(v) - E(u)))^(1/2), which is the energy norm if E is quadratic (hybrid.GapBound)
    """

    bound: Float[Tensor, " b"]
    relative: Float[Tensor, " b"]
    field: Float[Tensor, "b _ *points"]
    form: Form
    measure: Measure


def covered(problem: Problem | None) -> bool:
    """Whether a theorem covers answers to the problem.

    Not covered: periodic axes of elastic bodies, tractions in three dimensions; lids and three dimensions of flows;
    nonlinear equations that no convex energy belongs to; time but for single implicit steps.
    """
    if isinstance(problem, Elasticity):
        periodic = any("periodic" in faces for faces in problem.domain.boundary)
        pulled_in_space = problem.traction is not None and problem.domain.dimension == 3
        return not periodic and not pulled_in_space
    if isinstance(problem, Stokes):
        return problem.domain.dimension == 2 and problem.drive == "force"
    return isinstance(problem, Variational | Diffusion | AnisotropicDarcy)


def guarantee(problem: Problem | None, inputs: Inputs, v: Field, form: Form, tighten: int) -> Guarantee | None:
    """The bound of v as an answer to the problem, None where no theorem covers it.

    Tensors, displacements and flows have the continuum form, whatever is asked for, and the latter two nothing to
    tighten; minima of convex energies have the discrete form.
    """
    if not covered(problem):
        return None
    measure: Measure = "energy norm"
    if isinstance(problem, Variational):
        gap = duality_gap(problem.discrete(inputs), v, tighten=tighten)
        return Guarantee(gap.value, gap.relative, v, "discrete", "energy distance")
    if isinstance(problem, Diffusion):
        (a, f), c = problem.fields(inputs), problem.reaction(inputs)
        result = energy_bound(v, a, f, problem.domain, reaction=c, form=form, tighten=tighten)
    elif isinstance(problem, AnisotropicDarcy):
        (a, f), form = problem.tensor(inputs), "continuum"
        result = energy_bound(v, a, f, problem.domain, form=form, tighten=tighten)
    elif isinstance(problem, Elasticity):
        E, nu, form = inputs[:, :1].double(), problem.poisson_ratio, "continuum"
        lame, shear = E * nu / ((1 + nu) * (1 - 2 * nu)), E / (2 * (1 + nu))
        result = elasticity_bound(v, lame, shear, problem.forcing(inputs), problem.domain, problem.traction)
    else:
        assert isinstance(problem, Stokes)
        result, form = stokes_bound(v[:, :2], v[:, 2:], inputs, problem.viscosity, problem.domain), "continuum"
        measure = "gradient norm"
    return Guarantee(result.value, result.relative, result.field, form, measure)
