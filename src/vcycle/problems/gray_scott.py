"""The Gray-Scott equations: a reaction that feeds on what flows in, spots that divide."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch

from vcycle.problems.base import Field
from vcycle.problems.bumps import bumps
from vcycle.problems.walled import WalledEvolution
from vcycle.solvers import ModalGrid, Semilinear
from vcycle.solvers.modal_grid import Spectrum
from vcycle.spaces import Condition, Domain


@dataclass(frozen=True)
class GrayScott(WalledEvolution):
    """u_t = D_u lap u + F (1 - u) - u v^2,  v_t = D_v lap v - (F + k) v + u v^2, no flow through Neumann faces.

    diffusivities   D_u and D_v
    feed, kill      F and k
    seeds, radius   the initial state is (1, 0) but for so many bumps of this standard deviation, (1/2, 1/4) inside
    amplitude       deviation of a Gaussian field whose exponential multiplies the bumps, so that no two are alike

    Behaviour: (1, 0) is stable; where v is seeded, u + 2 v -> 3 v goes on. F and k decide: spots that divide
    (0.037, 0.06), worms (0.055, 0.062), chaos (0.026, 0.051). Lengths are multiples of (D_u / F)^(1/2).
    Good values: D_u = 2 D_v = 2e-5 on a square of side 0.5 at 64 x 64, T = 200, where the grid changes u by 0.02 %; on
    the unit square by 1 %, and 128 x 128 is needed.
    Source: Pearson, Science 261, 1993.
    """

    name: ClassVar[str] = "gray_scott"
    title: ClassVar[str] = "the Gray-Scott equations"
    equation: ClassVar[str] = "u_t = D_u lap u + F (1 - u) - u v^2, v_t = D_v lap v - (F + k) v + u v^2"
    conditions: ClassVar[tuple[Condition, ...]] = ("neumann",)

    domain: Domain = Domain([0.5, 0.5], "periodic")
    diffusivities: tuple[float, float] = (2e-5, 1e-5)
    feed: float = 0.037
    kill: float = 0.06
    seeds: int = 5
    radius: float = 0.03
    time: float = 200.0
    alpha: float = 4.0
    tau: float = 20.0
    amplitude: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        for D in self.diffusivities:
            self.require_positive("diffusivity", D)
        self.require_positive("radius", self.radius)
        if self.seeds < 1:
            raise ValueError(f"{self.name} needs at least one seed, got {self.seeds}: without v nothing happens")

    @property
    def components(self) -> tuple[str, ...]:
        return ("u", "v")

    def initial(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Field:
        indices = list(indices)
        s = bumps(self.domain, shape, seed, indices, self.seeds, self.radius)
        s = s * torch.exp(self.amplitude * self.noise(shape, seed, indices))
        return torch.cat([1 - s / 2, s / 4], 1)

    def evolution(self, grid: ModalGrid) -> Semilinear:
        keep, (D_u, D_v) = grid.resolved, self.diffusivities
        linear = torch.stack([D_u * grid.laplacian - self.feed, D_v * grid.laplacian - self.feed - self.kill])
        feed = grid.transform(torch.full(grid.shape, self.feed, dtype=torch.float64, device=grid.device))

        def nonlinear(u_hat: Spectrum) -> Spectrum:
            u, v = grid.inverse(u_hat * keep).unbind(1)
            reaction = keep * grid.transform(u * v.square())
            return torch.stack([feed - reaction, reaction], 1)

        return Semilinear(grid, linear, nonlinear)
