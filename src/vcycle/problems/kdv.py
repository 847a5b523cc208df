"""The Korteweg-de Vries equation u_t + 6 u u_x + u_xxx = 0: solitons."""

from dataclasses import dataclass
from typing import ClassVar

from vcycle.problems.evolution import Evolution
from vcycle.solvers import FourierGrid, Semilinear
from vcycle.solvers.fourier_grid import Spectrum
from vcycle.spaces import Domain


@dataclass(frozen=True)
class KdV(Evolution):
    """u_t + 6 u u_x + u_xxx = 0, periodic in one dimension: u(0) -> u(T).

    Behaviour: dispersive, nothing decays: the mean, the integral of u^2 and infinitely many more integrals are kept.
    Waves break up into solitons c / 2 sech^2(c^(1/2) (x - c t) / 2), the higher the faster, and a dispersive tail.
    Good values: length 20 at 128 points, T = 1. Steps are small, for no viscosity hides the errors of short waves.
    """

    name: ClassVar[str] = "kdv"
    title: ClassVar[str] = "the Korteweg-de Vries equation"
    equation: ClassVar[str] = "u_t + 6 u u_x + u_xxx = 0"

    domain: Domain = Domain([20.0], "periodic")
    alpha: float = 4.0
    tau: float = 1.0
    amplitude: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_one_dimension()

    def evolution(self, grid: FourierGrid) -> Semilinear:
        k, keep = grid.odd_wavenumbers[0], grid.resolved
        factor = -3j * k * keep

        def nonlinear(u_hat: Spectrum) -> Spectrum:
            return factor * grid.transform(grid.inverse(u_hat * keep).square())

        return Semilinear(grid, 1j * k**3, nonlinear)
