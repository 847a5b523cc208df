"""The heat equation u_t = kappa lap u + r u: linear, and exactly solved, with walls or without."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from vcycle.problems.walled import WalledEvolution
from vcycle.solvers import ModalGrid, Radau, Scheme, Semilinear
from vcycle.spaces import Domain


@dataclass(frozen=True)
class Heat(WalledEvolution):
    """u_t = kappa lap u + r u in one, two or three dimensions, u = 0 on Dirichlet faces, no flow through Neumann faces.

    diffusivity   kappa
    reaction      r: what is produced or, if negative, consumed

    Behaviour: linear; every mode of the boundary conditions decays by exp((r - kappa omega^2) T), which one step does
    exactly. With Dirichlet faces around a box of length L all dies out unless r > kappa pi^2 d / L^2; with r = 0 and
    Neumann faces the integral of u is kept. The map smooths: what is left after T is a few modes. Good values:
    kappa = 0.01, T = 0.5 on the unit square at 64 x 64, where the grid changes u by 0.1 %: the roughness at the start.
    The second solver is the implicit scheme of Radau.

    >>> problem = Heat(Domain.unit(1), diffusivity=0.1, time=1.0)
    >>> u = problem.sample((32,), seed=0, indices=[0])
    >>> bool(problem.solve(u).value.norm() < u.norm())
    True
    """

    name: ClassVar[str] = "heat"
    title: ClassVar[str] = "the heat equation"
    equation: ClassVar[str] = "u_t = kappa lap u + r u"
    second_scheme: ClassVar[type[Scheme]] = Radau

    domain: Domain = Domain.unit(2)
    diffusivity: float = 0.01
    reaction: float = 0.0
    time: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_positive("diffusivity", self.diffusivity)

    def evolution(self, grid: ModalGrid) -> Semilinear:
        return Semilinear(grid, self.diffusivity * grid.laplacian + self.reaction, torch.zeros_like)
