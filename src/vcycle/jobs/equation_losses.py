"""Losses that need no labels: the equation itself says how wrong v is, in each of these its own way."""

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.problems import Diffusion, Problem
from vcycle.problems.minimum import Iterated, Minimum
from vcycle.spaces import H1, root
from vcycle.surrogate.guarantee import guarantee
from vcycle.training import Batch, Loss

Field = Float[Tensor, "b c *grid"]
PerSample = Float[Tensor, " b"]


def bound(problem: Problem) -> Loss:
    """M(v) / M(0), with M(v) the guaranteed bound of the error of v: an error relative to the solution.

    For scalar equations and flows the gradient is that of M. For the others M^2 = 2 (E(v) + the dual energy of a flux),
    and the flux is held: M is a bound for every flux, so that a lower E lowers one, and the gradient is that of E over
    M(v). E is the discrete energy, for displacements and tensors that of the PDE but for its discretisation. (Tensors:
    M itself reads v at the vertices, where waves of two cells vanish; descending in M with the flux held leaves them.)
    """
    if isinstance(problem, Minimum) and not isinstance(problem, Diffusion):
        return _bound_with_flux_held(problem)

    def loss(v: Field, batch: Batch) -> PerSample:
        with torch.no_grad():
            size = _bounded(problem, batch, torch.zeros_like(v))
        return _bounded(problem, batch, v) / size

    return loss


def _bound_with_flux_held(problem: Minimum) -> Loss:
    def loss(v: Field, batch: Batch) -> PerSample:
        with torch.no_grad():
            value, size = (_bounded(problem, batch, w) for w in (v, torch.zeros_like(v)))
        energy = problem.discrete(batch.inputs).value(v.double())
        return (value + (energy - energy.detach()) / torch.where(value > 0, value, 1.0)) / size

    return loss


def energy(problem: Minimum) -> Loss:
    """||u - v|| / ||u|| for the label u, in the energy norm, or in the energy distance (2 (E(v) - E(u)))^(1/2)."""

    def loss(v: Field, batch: Batch) -> PerSample:
        if batch.targets is None:
            raise ValueError("this loss compares with labels and the batch has none: give targets, or a loss without")
        E, u = problem.discrete(batch.inputs), batch.targets.double()
        with torch.no_grad():
            size = E.distance(torch.zeros_like(u), u)
        return E.distance(v.double(), u) / size

    return loss


def ritz(problem: Minimum) -> Loss:
    """2 (E(v) - E(0)) / ||u||^2: least at the solution u, where it is about -1.

    For -div(a grad u) + c u = f it is (||v||_a^2 - 2 (f, v)) / ||u||_a^2; ||u|| is the energy distance between 0 and u,
    about.
    """

    def loss(v: Field, batch: Batch) -> PerSample:
        E, v = problem.discrete(batch.inputs), v.double()
        with torch.no_grad():
            size, rest = E.size(), E.value(torch.zeros_like(v))
        return 2 * (E.value(v) - rest) / size.square()

    return loss


def strong_residual(problem: Minimum) -> Loss:
    """||E'(v)|| / ||E'(0)||, the equation point by point, as in physics-informed training: ||f - A v|| / ||f||."""

    def loss(v: Field, batch: Batch) -> PerSample:
        E, v = problem.discrete(batch.inputs), v.double()
        with torch.no_grad():
            size = E.gradient(torch.zeros_like(v)).flatten(1).norm(dim=1)
        return E.gradient(v).flatten(1).norm(dim=1) / size

    return loss


def dual_residual(problem: Minimum) -> Loss:
    """(r, B r)^(1/2) / ||u|| with r = -E'(v) = f - A v and B one V-cycle for E''(u), ||u|| as in `ritz`.

    (r, A^-1 r) is ||u - v||_a^2, and B is A^-1 up to a factor that hardly depends on grid and contrast.
    """

    def loss(v: Field, batch: Batch) -> PerSample:
        E, v = problem.discrete(batch.inputs), v.double()
        r = -E.gradient(v)
        with torch.no_grad():
            z, size = E.cycle()(r), E.size()
        # B is symmetric: the derivative of (r, B r) is 2 B r, and the V-cycle need not be differentiated.
        product = (r * z).flatten(1).sum(1)
        return root(2 * product - product.detach()) / size

    return loss


def preconditioned_residual(problem: Iterated) -> Loss:
    """||B r|| / ||u|| in H1, with r = -E'(v) = f - A v and B one V-cycle for E''(u): the error in H1.

    B r is u - v up to a part that the cycle leaves, small where B takes its coarse grids from A (`classical_cycle`).
    For flows B is some steps of Uzawa's method, and the error is that of velocity and pressure.
    Slopes weigh the same in good and bad conductors: where the energy sees them a thousand times larger than those of
    the solution, networks that minimise it stay at zero, and with this loss learn as from labels with the loss h1.
    """

    def loss(v: Field, batch: Batch) -> PerSample:
        E, norm, v = problem.discrete(batch.inputs), H1(problem.domain), v.double()
        with torch.no_grad():
            size = norm(E.near)
        return norm(E.correction(v)) / size

    return loss


def _bounded(problem: Problem, batch: Batch, v: Field) -> PerSample:
    given = guarantee(problem, batch.inputs, v, "discrete", tighten=0)
    if given is None:
        raise ValueError(f"no bound is known for {problem.title} with these settings: use loss h1 or l2")
    return given.bound
