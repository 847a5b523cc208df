"""Burgers' equation u_t + u u_x = nu u_xx: waves that steepen into shocks, and viscosity that stops them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch

from vcycle.problems.base import Field
from vcycle.problems.evolution import Evolution
from vcycle.solvers import FourierGrid, Semilinear
from vcycle.solvers.fourier_grid import Spectrum
from vcycle.spaces import generator

DRIFT_STREAM = 1


@dataclass(frozen=True)
class Burgers(Evolution):
    """u_t + u u_x = nu u_xx, periodic in one dimension: u(0) -> u(T).

    Behaviour: parabolic; fronts of width 4 nu / [u], with [u] their height, form and merge, the energy decays and the
    mean stays. The map is non-linear and the smaller nu, the less regular.
    Inputs: a Gaussian field of size `amplitude`, plus a random mean of deviation `drift`, with which everything moves.
    Good values: nu = 0.01 and T = 1, where 64 points differ from the PDE's solution by 0.4 %, 128 by 0.05 %. The set-up
    of the FNO paper: viscosity 0.1, drift 1, amplitude 0.59. Below nu = [u] / n fronts are not resolved and oscillate.
    Source: P151, section 5.1.

    >>> problem = Burgers()
    >>> u = problem.sample((64,), seed=0, indices=range(2))
    >>> problem.solve(u).converged.tolist()
    [True, True]
    """

    name: ClassVar[str] = "burgers"
    title: ClassVar[str] = "Burgers' equation"
    equation: ClassVar[str] = "u_t + u u_x = nu u_xx"

    viscosity: float = 0.01
    amplitude: float = 0.5
    drift: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_one_dimension()
        self.require_positive("viscosity", self.viscosity)

    def initial(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Field:
        indices = list(indices)
        means = [self.drift * generator(seed, index, DRIFT_STREAM).standard_normal() for index in indices]
        return super().initial(shape, seed, indices) + torch.tensor(means, dtype=torch.float64).view(-1, 1, 1)

    def evolution(self, grid: FourierGrid) -> Semilinear:
        factor, keep = -0.5j * grid.odd_wavenumbers[0], grid.resolved

        def nonlinear(u_hat: Spectrum) -> Spectrum:
            return factor * keep * grid.transform(grid.inverse(u_hat * keep).square())

        return Semilinear(grid, self.viscosity * grid.laplacian, nonlinear)
