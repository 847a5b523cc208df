"""Large-eddy simulation: the filtered Navier-Stokes equations with the closure of Smagorinsky."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.problems.base import Field
from vcycle.problems.evolution import Evolution
from vcycle.problems.velocity import curl, gradient_symbols, strain, strain_rate, without_divergence
from vcycle.solvers import FourierGrid, Semilinear
from vcycle.solvers.fourier_grid import Spectrum
from vcycle.spaces import Domain, GaussianField, Grid


@dataclass(frozen=True)
class LargeEddy(Evolution):
    """u_t + u . grad u + grad p = nu lap u + div(2 nu_t S) + f, div u = 0, with S = (grad u + its transpose) / 2 and

        nu_t = (C_s Delta)^2 |S|,  |S| = (2 S_ij S_ij)^(1/2),

    for the velocity u, filtered to eddies longer than Delta, on a periodic box in two or three dimensions.

    smagorinsky    C_s; with 0 these are the Navier-Stokes equations, in three dimensions too
    filter_width   Delta, a property of the equations: on a fine grid their solution converges. Usual is 2 L / n
    forcing        'kolmogorov': f = (strength sin(2 pi wavenumber (y - y_0) / L_y), 0, ...) with y_0 the low face;
                   'none': f = 0, then strength and wavenumber say nothing
    waves          the initial state has at most so many across the box
    amplitude      its root-mean-square speed; alpha and tau: smoothness and inverse length of its potential

    Behaviour: eddies turn, merge (2-D) or break up (3-D); the closure takes the energy integral of nu_t |S|^2 per time
    from them, never gives any back, and most of it from the smallest. The mean velocity stays. |S| has corners where
    S = 0, so the grid converges algebraically. Good values: a box of 2 pi at 64 x 64, Delta = 2 pi / 32, C_s = 0.1,
    nu = 1e-3, T = 1, where the grid changes u by 0.3 %; in three dimensions 32 cells per axis and accuracy = 1e-3.
    Sources: Smagorinsky, Mon. Weather Rev. 91, 1963; P106.
    """

    name: ClassVar[str] = "large_eddy"
    title: ClassVar[str] = "large-eddy simulation"
    equation: ClassVar[str] = "u_t + u . grad u + grad p = nu lap u + div(2 nu_t S) + f, nu_t = (C_s Delta)^2 |S|"

    domain: Domain = Domain([2 * math.pi] * 2, "periodic")
    viscosity: float = 1e-3
    smagorinsky: float = 0.1
    filter_width: float = math.pi / 16
    forcing: Literal["none", "kolmogorov"] = "none"
    strength: float = 0.1
    wavenumber: int = 2
    waves: int = 4
    alpha: float = 4.0
    tau: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("viscosity", "filter_width"):
            self.require_positive(name, getattr(self, name))
        if self.domain.dimension == 1:
            raise ValueError(f"{self.name} is about flow in two or three dimensions, got {self.domain}")
        if self.smagorinsky < 0 or self.waves < 1:
            raise ValueError(
                f"{self.name} needs smagorinsky >= 0, for eddies lose energy to those that are not resolved, and "
                f"waves >= 1, got smagorinsky={self.smagorinsky}, waves={self.waves}"
            )

    @property
    def components(self) -> tuple[str, ...]:
        return ("u", "v", "w")[: self.domain.dimension]

    def gaussian(self) -> GaussianField:
        return GaussianField(self.domain, self.alpha, self.tau, 2 * self.waves + 1)

    def initial(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Field:
        if min(shape) <= 2 * self.waves:
            raise ValueError(f"{self.waves} waves across the box need more than {2 * self.waves} points, got {shape}")
        indices, grid = list(indices), FourierGrid(self.domain, shape)
        streams = range(1 if self.domain.dimension == 2 else 3)
        potential = torch.cat([self.noise(shape, seed, indices, stream) for stream in streams], 1)
        u = grid.inverse(curl(grid, grid.transform(potential)))
        axes = tuple(range(2, u.ndim))
        speed = u.square().sum(1, keepdim=True).mean(axes, keepdim=True).sqrt()
        return self.amplitude * u / speed

    def evolution(self, grid: FourierGrid) -> Semilinear:
        slopes, keep = gradient_symbols(grid), grid.resolved
        source = grid.transform(self.force(grid.shape).to(grid.device))
        length = self.smagorinsky * self.filter_width

        def nonlinear(u_hat: Spectrum) -> Spectrum:
            u, gradient = grid.inverse(u_hat * keep), grid.inverse(u_hat[:, :, None] * slopes)
            S = strain(gradient)
            stress = 2 * length**2 * strain_rate(S)[:, None, None] * S
            change = (slopes * grid.transform(stress)).sum(2)
            change = change - keep * grid.transform((gradient * u[:, None]).sum(2))
            return without_divergence(grid, change) + source

        return Semilinear(grid, self.viscosity * grid.laplacian, nonlinear)

    def force(self, shape: tuple[int, ...]) -> Float[Tensor, "i *grid"]:
        """f on the cells of a grid."""
        f = torch.zeros(self.domain.dimension, *shape, dtype=torch.float64)
        if self.forcing == "kolmogorov":
            (low, _), length = self.domain.extents[1], self.domain.lengths[1]
            f[0] = self.strength * torch.sin(
                2 * math.pi * self.wavenumber * (Grid(self.domain, shape).mesh()[1] - low) / length
            )
        return f
