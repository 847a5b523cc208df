"""How wrong a continuous function really is, measured against the PDE's solution to a known accuracy."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.hybrid import energy_bound
from vcycle.hybrid.reconstruction import cell_means, flux_misfit
from vcycle.problems import Diffusion
from vcycle.spaces import Grid

Field = Float[Tensor, "b 1 *grid"]
Vertices = Float[Tensor, "b 1 *points"]
PerSample = Float[Tensor, " b"]

MOST_CELLS = 2**18


@dataclass(frozen=True)
class TrueError:
    """low <= ||a^(1/2) grad(u - v)|| <= high, and ||a^(1/2) grad u|| of the PDE's solution u."""

    low: PerSample
    high: PerSample
    size: PerSample

    @property
    def value(self) -> PerSample:
        """The middle, in the square."""
        return (0.5 * (self.low.square() + self.high.square())).sqrt()

    @property
    def accuracy(self) -> PerSample:
        """How far the value may be from the truth, relative to it."""
        return torch.where(self.value > 0, 1 - self.low / self.value, torch.inf)


def continuum_error(problem: Diffusion, inputs: Float[Tensor, "b c *grid"], vertices: Vertices) -> TrueError:
    """The energy error of the multilinear function through `vertices`, with inputs that are constant on cells.

    ||u - v||^2 = ||u||^2 - 2 (f, v) + ||v||^2 needs only the energy of u, which the solution w on a grid up to eight
    times finer encloses: 2 (f, w) - ||w||^2 <= ||u||^2 <= that + bound(w)^2 (Ritz below, Prager and Synge above).
    """
    parts = [_enclose(problem, inputs[i : i + 1], vertices[i : i + 1]) for i in range(inputs.shape[0])]
    return TrueError(
        torch.cat([part.low for part in parts]),
        torch.cat([part.high for part in parts]),
        torch.cat([part.size for part in parts]),
    )


def _enclose(problem: Diffusion, inputs: Float[Tensor, "b c *grid"], vertices: Vertices) -> TrueError:
    fine = inputs
    for _ in range(refinements(tuple(inputs.shape[2:]))):
        for axis in range(problem.domain.dimension):
            fine = fine.repeat_interleave(2, axis + 2)
    w = energy_bound(
        problem.solve(fine).value, *(field.double() for field in problem.fields(fine)), problem.domain, form="continuum"
    )
    least = _work(problem, fine, w.field) * 2 - _energy(problem, fine, w.field)
    below = least - 2 * _work(problem, inputs, vertices) + _energy(problem, inputs, vertices)
    return TrueError(below.clamp_min(0).sqrt(), (below + w.value.square()).clamp_min(0).sqrt(), least.sqrt())


def refinements(shape: tuple[int, ...]) -> int:
    """How often a grid is halved: three times at most, and not beyond 2^18 cells."""
    room = math.log2(MOST_CELLS / math.prod(shape)) / len(shape)
    return max(1, min(3, math.floor(room)))


def _work(problem: Diffusion, inputs: Float[Tensor, "b c *grid"], v: Vertices) -> PerSample:
    """(f, v)."""
    f = problem.fields(inputs)[1].double()
    return math.prod(Grid(problem.domain, tuple(f.shape[2:])).spacing) * (f * cell_means(v)).flatten(1).sum(1)


def _energy(problem: Diffusion, inputs: Float[Tensor, "b c *grid"], v: Vertices) -> PerSample:
    """||a^(1/2) grad v||^2."""
    a = problem.fields(inputs)[0].double()
    zero = []
    for axis in range(problem.domain.dimension):
        shape = list(a.shape)
        shape[axis + 2] += 0 if problem.domain.periodic(axis) else 1
        zero.append(a.new_zeros(shape))
    return flux_misfit(tuple(zero), v, a, problem.domain)
