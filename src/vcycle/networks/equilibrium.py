"""Layers without depth: the fixed point of a map, and its gradient by the implicit function theorem."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.solvers import Solution, fixed_point
from vcycle.spaces import per_sample

Field = Float[Tensor, "b c *grid"]


class Step(nn.Module, ABC):
    """One application of a learned map z -> T(z; c), c the context that the input makes.

    channels   of z;  context: channels of c, as many or more
    rate       a number q < 1 with ||T(z) - T(y)|| <= q ||z - y|| by construction, or None: then convergence is checked
    start      the value that z starts with, everywhere
    """

    channels: int
    context: int
    rate: float | None
    start: float

    @abstractmethod
    def at(self, c: Float[Tensor, "b d *grid"]) -> Callable[[Tensor], Tensor]:
        """The map z -> T(z; c); whatever does not depend on z is computed here, once."""


class NotConverged(ValueError):
    """A fixed point was asked of a map that is not known to contract, and the iteration did not find it."""


class Equilibrium(nn.Module):
    """z* = T(z*; c), by iteration to the relative residual `tolerance`; dz* = (I - dT/dz)^-1 dT/dc dc.

    The backward pass solves w = g + (dT/dz)^T w by the same iteration and stores one application of T, whatever the
    number of iterations. In evaluation mode a sample that did not converge raises NotConverged, unless the step
    contracts by construction (`rate`): then the fixed point exists, is unique and is reached. A program made by
    torch.export cannot raise: there the answer of such a sample is NaN.
    Sources: P37, section 2 (implicit differentiation); P152; P142, section 3 (damping).
    """

    def __init__(
        self, step: Step, *, tolerance: float = 1e-4, most: int = 50, damping: float = 0.0, window: int = 0
    ) -> None:
        super().__init__()
        self.step = step
        self.iterate = partial(fixed_point, tolerance=tolerance, most=most, damping=damping, window=window)

    def solve(self, c: Float[Tensor, "b d *grid"]) -> Solution:
        """The fixed point with its residual, and whether each sample has converged; without gradient."""
        with torch.no_grad():
            return self._iterate(self.step.at(c), c)

    def forward(self, c: Float[Tensor, "b d *grid"]) -> Float[Tensor, "b c *grid"]:
        T = self.step.at(c)
        with torch.no_grad():
            solution = self._iterate(T, c)
        if torch.compiler.is_exporting():
            image = T(solution.value)
            known = self.step.rate is not None
            return image if known else torch.where(per_sample(solution.converged, image), image, torch.nan)
        if not (self.training or self.step.rate is not None or bool(solution.converged.all())):
            raise NotConverged(f"{type(self.step).__name__} has no fixed point that was found: {solution.message}")
        z = solution.value.detach()
        image = T(z)
        if image.requires_grad:
            image.register_hook(lambda g: self._adjoint(T, z, g))
        return image

    def _iterate(self, T: Callable[[Tensor], Tensor], c: Tensor) -> Solution:
        start = torch.full_like(c.narrow(1, 0, self.step.channels), self.step.start)
        return self.iterate(T, start)

    def _adjoint(self, T: Callable[[Tensor], Tensor], z: Tensor, g: Tensor | None) -> Tensor | None:
        """(I - dT/dz)^-T g; autograd may know that g is zero and give None."""
        if g is None:
            return None
        pull = torch.func.vjp(T, z)[1]
        with torch.no_grad():
            return self.iterate(lambda w: g + pull(w)[0], g).value
