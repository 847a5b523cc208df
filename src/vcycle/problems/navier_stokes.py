"""The Navier-Stokes equations of incompressible flow in two dimensions, for the vorticity."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.problems.evolution import Evolution
from vcycle.problems.vorticity import advection_spectrum, advection_symbols
from vcycle.solvers import FourierGrid, Semilinear
from vcycle.solvers.fourier_grid import Spectrum
from vcycle.spaces import Domain, Grid


@dataclass(frozen=True)
class NavierStokes(Evolution):
    """w_t + u . grad w = nu lap w - drag w + f, u = (psi_y, -psi_x), -lap psi = w, on a periodic rectangle.

    forcing     with s = strength and m = wavenumber, in coordinates x, y measured in lengths of the box,
                'diagonal': f = s (sin 2 pi m (x + y) + cos 2 pi m (x + y)), that of the FNO paper;
                'kolmogorov': f = s cos 2 pi m y; 'none': f = 0, then strength and wavenumber say nothing
    drag        linear friction, which keeps energy from gathering in the longest waves

    Behaviour: vortices turn, merge and shed filaments, which viscosity ends; chaotic for long times and small nu:
    errors then grow with time, of networks and of solvers alike. The mean of w stays.
    Good values: 64 x 64 at nu = 1e-3 and T = 5; 1e-4 wants 128 x 128. Source: P151, section 5.3; its data were made
    with another scheme in time, of first order.
    'NS 1e-5', ten states from the ten before, at the instants 11, ..., 20 and 1, ..., 10 of the FNO paper:
    viscosity = 1e-5, warmup = 1, history = 10, snapshots = 10, time = 10, accuracy = 1e-4, refinement = 2. The grid of
    64 x 64 is too coarse for it: relative errors of its own solution (refinement = 1) against 128 x 128 are 0.6 %,
    1.4 %, 3.6 % and 11 % at the instants 5, 10, 15 and 20; those of 128 x 128 against 256 x 256 0.06 % at 5. A sample
    takes a core 2 s with refinement 1, 16 s with 2. With refinement the states given are cut to the modes of the grid,
    and the states asked for are what the equation makes of what is left.
    """

    name: ClassVar[str] = "navier_stokes"
    title: ClassVar[str] = "Navier-Stokes flow"
    equation: ClassVar[str] = "w_t + u . grad w = nu lap w - drag w + f"

    domain: Domain = Domain.unit(2, "periodic")
    viscosity: float = 1e-3
    forcing: Literal["diagonal", "kolmogorov", "none"] = "diagonal"
    strength: float = 0.1
    wavenumber: int = 1
    drag: float = 0.0
    time: float = 5.0
    alpha: float = 2.5
    tau: float = 7.0
    amplitude: float = 0.185

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_positive("viscosity", self.viscosity)
        if self.domain.dimension != 2:
            raise ValueError(f"{self.name} for a scalar vorticity is an equation in two dimensions, got {self.domain}")

    @property
    def components(self) -> tuple[str, ...]:
        return ("w",)

    def evolution(self, grid: FourierGrid) -> Semilinear:
        symbols, source = advection_symbols(grid), grid.transform(self.force(grid.shape).to(grid.device))

        def nonlinear(w_hat: Spectrum) -> Spectrum:
            return source - advection_spectrum(grid, w_hat, symbols)

        return Semilinear(grid, self.viscosity * grid.laplacian - self.drag, nonlinear)

    def force(self, shape: tuple[int, ...]) -> Float[Tensor, "x y"]:
        """f on the cells of a grid."""
        lengths = self.domain.lengths
        x, y = (points / length for points, length in zip(Grid(self.domain, shape).mesh(), lengths, strict=True))
        if self.forcing == "none":
            return torch.zeros_like(x)
        if self.forcing == "kolmogorov":
            return self.strength * torch.cos(2 * math.pi * self.wavenumber * y)
        phase = 2 * math.pi * self.wavenumber * (x + y)
        return self.strength * (torch.sin(phase) + torch.cos(phase))
