"""Evolution on boxes with walls: equations of the Laplacian and pointwise terms."""

import math
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import torch

from vcycle.problems.base import Field, PerSample
from vcycle.problems.evolution import Evolution
from vcycle.solvers import (
    ModalGrid,
    Semilinear,
    Solution,
    fitting_grid,
    image_domain,
    with_images,
    without_images,
)
from vcycle.spaces import CPU, Condition, GaussianField


@dataclass(frozen=True)
class WalledEvolution(Evolution):
    """u_t = L u + N(u) with L a function of the Laplacian and N made of Laplacians and pointwise functions.

    Faces may be periodic or of `conditions`: at Neumann faces nothing flows, at Dirichlet faces u = 0. Solved in the
    modes of the boundary conditions; the second solver has the mirror images of the box on a periodic one instead.
    """

    conditions: ClassVar[tuple[Condition, ...]] = ("neumann", "dirichlet")

    @abstractmethod
    def evolution(self, grid: ModalGrid) -> Semilinear:
        """L and N on a grid."""

    def equation_on(self, shape: tuple[int, ...], device: torch.device = CPU) -> Semilinear:
        return self.evolution(fitting_grid(self.domain, shape, device))

    def gaussian(self) -> GaussianField:
        return GaussianField(self.domain, self.alpha, self.tau, conforming=True)

    def advance_again(self, state: Field) -> Solution:
        whole = replace(self, domain=image_domain(self.domain))
        solution = super(WalledEvolution, whole).advance_again(with_images(state, self.domain))
        return replace(solution, value=without_images(solution.value, self.domain))

    def integral(self, density: Field) -> PerSample:
        """Over the box."""
        return density.flatten(1).mean(1) * math.prod(self.domain.lengths)

    def require_boundary(self) -> None:
        known = {"periodic", *self.conditions}
        if not known.issuperset(face for faces in self.domain.boundary for face in faces):
            *first, last = ("periodic", *self.conditions)
            raise ValueError(
                f"{self.name} has no solver on {self.domain}: its faces may be {', '.join(first)} or {last}"
            )
