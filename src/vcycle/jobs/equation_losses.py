"""Losses that need no labels: -div(a grad u) = f itself says how wrong v is, each in its own way."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.hybrid import energy_bound
from vcycle.operators import classical_cycle, geometric_multigrid
from vcycle.problems import Diffusion
from vcycle.spaces import H1
from vcycle.training import Batch, Loss

Field = Float[Tensor, "b c *grid"]
PerSample = Float[Tensor, " b"]


def bound(problem: Diffusion) -> Loss:
    """M(v) / M(0), with M(v) >= ||u - v||_a the guaranteed bound: an error relative to the solution."""

    def loss(v: Field, batch: Batch) -> PerSample:
        a, f = (field.double() for field in problem.fields(batch.inputs))
        c = problem.reaction(batch.inputs)
        with torch.no_grad():
            size = energy_bound(torch.zeros_like(a), a, f, problem.domain, reaction=c).value
        return energy_bound(v, a, f, problem.domain, reaction=c).value / size

    return loss


def ritz(problem: Diffusion) -> Loss:
    """(||v||_a^2 - 2 (f, v)) / M(0)^2 = (||u - v||_a^2 - ||u||_a^2) / M(0)^2: least at u, where it is about -1."""

    def loss(v: Field, batch: Batch) -> PerSample:
        a, f = (field.double() for field in problem.fields(batch.inputs))
        c = problem.reaction(batch.inputs)
        A, load = problem.system(batch.inputs)
        with torch.no_grad():
            size = energy_bound(torch.zeros_like(a), a, f, problem.domain, reaction=c).value
        v = v.double()
        return (v * A(v) - 2 * load * v).flatten(1).sum(1) / size.square()

    return loss


def strong_residual(problem: Diffusion) -> Loss:
    """||f - A v|| / ||f||, the equation point by point, as in physics-informed training."""

    def loss(v: Field, batch: Batch) -> PerSample:
        A, load = problem.system(batch.inputs)
        return (load - A(v.double())).flatten(1).norm(dim=1) / load.flatten(1).norm(dim=1)

    return loss


def dual_residual(problem: Diffusion) -> Loss:
    """((r, B r) / (f, B f))^(1/2) with r = f - A v and B one V-cycle.

    (r, A^-1 r) is ||u - v||_a^2, and B is A^-1 up to a factor that hardly depends on grid and contrast.
    """

    def loss(v: Field, batch: Batch) -> PerSample:
        A, load = problem.system(batch.inputs)
        cycle = geometric_multigrid(A)
        r = load - A(v.double())
        with torch.no_grad():
            z, size = cycle(r), (load * cycle(load)).flatten(1).sum(1)
        # B is symmetric: the derivative of (r, B r) is 2 B r, and the V-cycle need not be differentiated.
        product = (r * z).flatten(1).sum(1)
        square = (2 * product - product.detach()) / size
        return torch.where(square > 0, square, 1.0).sqrt() * (square > 0)

    return loss


def preconditioned_residual(problem: Diffusion) -> Loss:
    """||B r|| / ||B f|| in H1, with r = f - A v and B one V-cycle: the error in H1, whatever the contrast.

    B r is u - v up to a part that the cycle leaves, small where B takes its coarse grids from A (`classical_cycle`).
    Slopes weigh the same in good and bad conductors: where the energy sees them a thousand times larger than those of
    the solution, networks that minimise it stay at zero, and with this loss learn as from labels with the loss h1.
    """

    def loss(v: Field, batch: Batch) -> PerSample:
        A, load = problem.system(batch.inputs)
        cycle, norm = classical_cycle(A, careful=True), H1(problem.domain)
        with torch.no_grad():
            size = norm(cycle(load))
        return norm(cycle(load - A(v.double()))) / size

    return loss


EQUATION_LOSSES: dict[str, Callable[[Diffusion], Loss]] = {
    "bound": bound,
    "ritz": ritz,
    "strong_residual": strong_residual,
    "dual_residual": dual_residual,
    "preconditioned_residual": preconditioned_residual,
}
