"""The Swift-Hohenberg equation u_t = r u - (q^2 + lap)^2 u + g u^2 - u^3: stripes and hexagons."""

from dataclasses import dataclass
from typing import ClassVar

from vcycle.problems.base import Field, PerSample
from vcycle.problems.walled import WalledEvolution
from vcycle.solvers import ModalGrid, Semilinear, fitting_grid
from vcycle.solvers.modal_grid import Spectrum
from vcycle.spaces import Condition, Domain


@dataclass(frozen=True)
class SwiftHohenberg(WalledEvolution):
    """u_t = r u - (q^2 + lap)^2 u + g u^2 - u^3 in one, two or three dimensions: u(0) -> u(T).

    driving      r: for r > 0 waves of length 2 pi / q grow out of u = 0
    wavenumber   q
    quadratic    g: 0 gives stripes, larger values hexagons

    Behaviour: a pattern of one length appears within a few 1 / r, to the height 2 (r / 3)^(1/2), and its defects heal
    slowly; the energy, the integral of ((q^2 u + lap u)^2 - r u^2) / 2 - g u^3 / 3 + u^4 / 4, decays.
    Good values: a square of 8 waves (length 50) at 64 x 64, r = 0.3, T = 20.
    Source: Swift and Hohenberg, Phys. Rev. A 15, 1977.
    """

    name: ClassVar[str] = "swift_hohenberg"
    title: ClassVar[str] = "the Swift-Hohenberg equation"
    equation: ClassVar[str] = "u_t = r u - (q^2 + lap)^2 u + g u^2 - u^3"
    conditions: ClassVar[tuple[Condition, ...]] = ("neumann",)

    domain: Domain = Domain([50.0, 50.0], "periodic")
    driving: float = 0.3
    wavenumber: float = 1.0
    quadratic: float = 0.0
    time: float = 20.0
    alpha: float = 4.0
    tau: float = 0.5
    amplitude: float = 0.2

    def evolution(self, grid: ModalGrid) -> Semilinear:
        keep, g = grid.resolved, self.quadratic
        linear = self.driving - (self.wavenumber**2 + grid.laplacian).square()

        def nonlinear(u_hat: Spectrum) -> Spectrum:
            u = grid.inverse(u_hat * keep)
            return keep * grid.transform(u.square() * (g - u))

        return Semilinear(grid, linear, nonlinear)

    def energy(self, u: Field) -> PerSample:
        """The integral of ((q^2 u + lap u)^2 - r u^2) / 2 - g u^3 / 3 + u^4 / 4."""
        grid = fitting_grid(self.domain, tuple(u.shape[2:]), u.device)
        strain = grid.inverse((self.wavenumber**2 + grid.laplacian) * grid.transform(u))
        density = (strain.square() - self.driving * u.square()) / 2 - self.quadratic * u**3 / 3 + u**4 / 4
        return self.integral(density)
