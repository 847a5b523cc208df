"""The wave equation h_tt = c^2 lap h: nothing is lost, and exactly solved, with walls or without."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch

from vcycle.problems.base import Field, PerSample
from vcycle.problems.walled import WalledEvolution
from vcycle.solvers import ModalGrid, Semilinear, Solution, fitting_grid, oscillate
from vcycle.solvers.evolve import MOST_HALVINGS
from vcycle.solvers.modal_grid import Spectrum
from vcycle.spaces import Domain, finite


@dataclass(frozen=True)
class Wave(WalledEvolution):
    """h_tt = c^2 lap h in one, two or three dimensions, states (h, v) with v = h_t: fixed (h = 0) at Dirichlet faces.

    speed     c
    impulse   size of the Gaussian field v at the start, in units of c amplitude / L with L the longest side; h is a
              Gaussian field of size `amplitude`

    Behaviour: linear and hyperbolic; every mode oscillates with the frequency c omega for ever, and the energy, the
    integral of (v^2 + c^2 |grad h|^2) / 2, is kept. Nothing is smoothed, so a network has to carry every mode that the
    initial state has; waves come back from walls, upside down from Dirichlet ones. v is rougher than h by a derivative
    and larger by a frequency. Good values: c = 1, T = 0.5 on the unit square at 64 x 64 with alpha = 4.
    Solved exactly in the modes of the boundary conditions; the second solver is the classical Runge-Kutta scheme.
    """

    name: ClassVar[str] = "wave"
    title: ClassVar[str] = "the wave equation"
    equation: ClassVar[str] = "h_tt = c^2 lap h"

    domain: Domain = Domain.unit(2, "periodic")
    speed: float = 1.0
    impulse: float = 5.0
    time: float = 0.5
    alpha: float = 4.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_positive("speed", self.speed)

    @property
    def components(self) -> tuple[str, ...]:
        return ("h", "v")

    def initial(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Field:
        indices = list(indices)
        size = self.amplitude * self.impulse * self.speed / max(self.domain.lengths)
        h = self.amplitude * self.noise(shape, seed, indices)
        return torch.cat([h, size * self.noise(shape, seed, indices, stream=1)], 1)

    def evolution(self, grid: ModalGrid) -> Semilinear:
        symbol = self.speed**2 * grid.laplacian

        def nonlinear(u_hat: Spectrum) -> Spectrum:
            h, v = u_hat.unbind(1)
            return torch.stack([v, symbol * h], 1)

        return Semilinear(grid, torch.zeros((), dtype=torch.float64), nonlinear)

    def advance(
        self,
        state: Field,
        interval: float,
        snapshots: int,
        *,
        tolerance: float | None = None,
        most: int = MOST_HALVINGS,
    ) -> Solution:
        del tolerance, most  # one step is exact
        grid = fitting_grid(self.domain, tuple(state.shape[2:]), state.device)
        value = oscillate(grid, self.speed**2 * grid.laplacian, state, interval, snapshots)
        fine = finite(value)
        error = torch.where(fine, torch.finfo(torch.float64).eps, torch.inf)
        return Solution(value, error, 1, fine, "solved exactly in modes")

    def energy(self, state: Field) -> PerSample:
        """The integral of (v^2 + c^2 |grad h|^2) / 2, of the modes on the grid."""
        grid = fitting_grid(self.domain, tuple(state.shape[2:]), state.device)
        h, v = state.unbind(1)
        tension = grid.inverse(-(self.speed**2) * grid.laplacian * grid.transform(h))
        return self.integral((v.square() + h * tension)[:, None] / 2)
