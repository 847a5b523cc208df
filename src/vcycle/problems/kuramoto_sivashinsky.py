"""The Kuramoto-Sivashinsky equation: chaos from one scalar equation."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from vcycle.problems.evolution import Evolution
from vcycle.solvers import FourierGrid, Semilinear
from vcycle.solvers.fourier_grid import Spectrum
from vcycle.spaces import Domain


@dataclass(frozen=True)
class KuramotoSivashinsky(Evolution):
    """u_t + u u_x + u_xx + u_xxxx = 0, periodic in one dimension: u(0) -> u(T).

    form   'conservative' as above, or 'combustion': u_t + (|grad u|^2 - its mean) / 2 + lap u + lap^2 u = 0 in one,
           two or three dimensions; in one, u_x solves the other

    Behaviour: waves longer than 2 pi grow, the nonlinear term hands their energy to short ones, which fourth-order
    diffusion ends. Chaotic beyond a length of about 17: two solutions that are close part like exp(t / 20), so T beyond
    100 cannot be learned, nor solved to the default accuracy much further. Good values: length 22 at 64 points, T = 10.
    """

    name: ClassVar[str] = "kuramoto_sivashinsky"
    title: ClassVar[str] = "the Kuramoto-Sivashinsky equation"
    equation: ClassVar[str] = "u_t + u u_x + u_xx + u_xxxx = 0"

    domain: Domain = Domain([22.0], "periodic")
    form: Literal["conservative", "combustion"] = "conservative"
    time: float = 10.0
    alpha: float = 4.0
    tau: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.form == "conservative":
            self.require_one_dimension()

    def evolution(self, grid: FourierGrid) -> Semilinear:
        keep, slopes = grid.resolved, [1j * k for k in grid.odd_wavenumbers]
        # Without the mode k = 0 the mean of u stays.
        varying = keep & (grid.laplacian < 0)

        def conservative(u_hat: Spectrum) -> Spectrum:
            return -0.5 * slopes[0] * keep * grid.transform(grid.inverse(u_hat * keep).square())

        def combustion(u_hat: Spectrum) -> Spectrum:
            squares = [grid.inverse(u_hat * slope * keep).square() for slope in slopes]
            return -0.5 * varying * grid.transform(torch.stack(squares).sum(0))

        linear = -grid.laplacian - grid.laplacian.square()
        return Semilinear(grid, linear, conservative if self.form == "conservative" else combustion)
