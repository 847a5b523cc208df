"""How wrong a continuous function really is, measured against the PDE's solution to a known accuracy."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.hybrid import energy_bound
from vcycle.hybrid.continuum import Continuum
from vcycle.hybrid.halved_cells import repeated
from vcycle.problems import Diffusion

Field = Float[Tensor, "b 1 *grid"]
Vertices = Float[Tensor, "b 1 *points"]
PerSample = Float[Tensor, " b"]

MOST_CELLS = 2**18


@dataclass(frozen=True)
class TrueError:
    """low <= |||u - v||| <= high in the norm of the bound, and |||u|||, of the PDE's solution u."""

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

    In the energy norm ||u - v||^2 = ||u||^2 - 2 (f, v) + ||v||^2 needs only the energy of u, which the solution w on a
    grid up to eight times finer encloses: 2 (f, w) - ||w||^2 <= ||u||^2 <= that + bound(w)^2 (Ritz below, Prager and
    Synge above).
    """
    return joined([_enclose(problem, inputs[i : i + 1], vertices[i : i + 1]) for i in range(inputs.shape[0])])


def joined(parts: list[TrueError]) -> TrueError:
    """The samples of all parts."""
    return TrueError(*(torch.cat([getattr(part, name) for part in parts]) for name in ("low", "high", "size")))


def _enclose(problem: Diffusion, inputs: Float[Tensor, "b c *grid"], vertices: Vertices) -> TrueError:
    fine = inputs
    for _ in range(refinements(tuple(inputs.shape[2:]))):
        fine = repeated(fine)
    (fine_equation, f), (equation, coarse_f) = _equation(problem, fine), _equation(problem, inputs)
    w = energy_bound(
        problem.solve(fine).value,
        fine_equation.a,
        f,
        problem.domain,
        reaction=fine_equation.c,
        form="continuum",
    )
    least = 2 * _work(fine_equation, f, w.field) - _energy(fine_equation, w.field)
    below = least - 2 * _work(equation, coarse_f, vertices) + _energy(equation, vertices)
    return TrueError(below.clamp_min(0).sqrt(), (below + w.value.square()).clamp_min(0).sqrt(), least.sqrt())


def refinements(shape: tuple[int, ...]) -> int:
    """How often a grid is halved: three times at most, and not beyond 2^18 cells."""
    room = math.log2(MOST_CELLS / math.prod(shape)) / len(shape)
    return max(1, min(3, math.floor(room)))


def _equation(problem: Diffusion, inputs: Float[Tensor, "b c *grid"]) -> tuple[Continuum, Field]:
    """The PDE and its source, in double precision."""
    a, f = (field.double() for field in problem.fields(inputs))
    c = problem.reaction(inputs)
    return Continuum(a, None if c is None else c.double(), problem.domain), f


def _work(equation: Continuum, f: Field, v: Vertices) -> PerSample:
    """(f, v)."""
    return equation.volume * (f * equation.means(v)).flatten(1).sum(1)


def _energy(equation: Continuum, v: Vertices) -> PerSample:
    """|||v|||^2."""
    return equation.square(v).flatten(1).sum(1)
