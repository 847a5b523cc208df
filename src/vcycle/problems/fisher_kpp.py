"""The Fisher-KPP equation u_t = nu lap u + r u (1 - u): a population that grows and spreads."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch

from vcycle.problems.base import Field
from vcycle.problems.walled import WalledEvolution
from vcycle.solvers import ModalGrid, Semilinear
from vcycle.solvers.modal_grid import Spectrum
from vcycle.spaces import Condition, Domain


@dataclass(frozen=True)
class FisherKPP(WalledEvolution):
    """u_t = nu lap u + r u (1 - u) in one, two or three dimensions: u(0) -> u(T).

    Behaviour: 0 is unstable and 1 stable; fronts of width (nu / r)^(1/2) move at 2 (nu r)^(1/2). 0 <= u <= 1 is kept.
    Nobody passes a Neumann face.
    The initial state is 1 / (1 + exp(-amplitude (z - 1))) with z Gaussian: colonies in a nearly empty land.
    Good values: nu = 0.1, r = 1 on a length of 10 at 64 points, T = 3. Where u is tiny, relative errors are large.
    """

    name: ClassVar[str] = "fisher_kpp"
    title: ClassVar[str] = "the Fisher-KPP equation"
    equation: ClassVar[str] = "u_t = nu lap u + r u (1 - u)"

    conditions: ClassVar[tuple[Condition, ...]] = ("neumann",)

    domain: Domain = Domain([10.0], "periodic")
    viscosity: float = 0.1
    growth: float = 1.0
    time: float = 3.0
    tau: float = 1.0
    amplitude: float = 3.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_positive("viscosity", self.viscosity)

    def initial(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Field:
        return torch.sigmoid(self.amplitude * (self.noise(shape, seed, indices) - 1))

    def evolution(self, grid: ModalGrid) -> Semilinear:
        keep, r = grid.resolved, self.growth

        def nonlinear(u_hat: Spectrum) -> Spectrum:
            return -r * keep * grid.transform(grid.inverse(u_hat * keep).square())

        return Semilinear(grid, self.viscosity * grid.laplacian + r, nonlinear)
