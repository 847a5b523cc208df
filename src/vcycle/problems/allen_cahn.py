"""The Allen-Cahn equation u_t = nu lap u + u - u^3: two phases that separate and coarsen."""

from dataclasses import dataclass
from typing import ClassVar

from vcycle.problems.base import Field, PerSample
from vcycle.problems.walled import WalledEvolution
from vcycle.solvers import ModalGrid, Semilinear, fitting_grid
from vcycle.solvers.modal_grid import Spectrum
from vcycle.spaces import Domain


@dataclass(frozen=True)
class AllenCahn(WalledEvolution):
    """u_t = nu lap u + u - u^3 in one, two or three dimensions, walls or none: u(0) -> u(T).

    Behaviour: u runs to the phases 1 and -1 within a few units of time; interfaces of width (8 nu)^(1/2) then move by
    their curvature and meet Neumann faces at right angles; u = 0 at Dirichlet faces. |u| <= 1 is kept; the energy, the
    integral of (1 - u^2)^2 / 4 + nu |grad u|^2 / 2, decays. The map is nearly a threshold of the smoothed initial
    state, hard where that is close to 0.
    Good values: nu = 1e-3 on the unit square at 64 x 64 (interfaces of 6 points), T = 3.
    """

    name: ClassVar[str] = "allen_cahn"
    title: ClassVar[str] = "the Allen-Cahn equation"
    equation: ClassVar[str] = "u_t = nu lap u + u - u^3"

    domain: Domain = Domain.unit(2, "periodic")
    viscosity: float = 1e-3
    time: float = 3.0
    amplitude: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_positive("viscosity", self.viscosity)

    def evolution(self, grid: ModalGrid) -> Semilinear:
        keep = grid.resolved

        def nonlinear(u_hat: Spectrum) -> Spectrum:
            return -grid.transform(grid.inverse(u_hat * keep) ** 3) * keep

        return Semilinear(grid, self.viscosity * grid.laplacian + 1, nonlinear)

    def energy(self, u: Field) -> PerSample:
        """The integral of (1 - u^2)^2 / 4 + nu |grad u|^2 / 2."""
        grid = fitting_grid(self.domain, tuple(u.shape[2:]), u.device)
        tension = grid.inverse(-self.viscosity * grid.laplacian * grid.transform(u))
        return self.integral((1 - u.square()).square() / 4 + u * tension / 2)
