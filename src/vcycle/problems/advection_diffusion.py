"""Advection and diffusion with constant coefficients, u_t + c . grad u = div(D grad u): linear, and exactly solved."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from vcycle.problems.evolution import Evolution
from vcycle.solvers import FourierGrid, Radau, Scheme, Semilinear


@dataclass(frozen=True)
class AdvectionDiffusion(Evolution):
    """u_t + c . grad u = div(D grad u) on a periodic box in one, two or three dimensions: u(0) -> u(T).

    velocity      c, a number per axis
    diffusivity   D, a number, or a symmetric positive semi-definite matrix as rows

    Behaviour: linear; every Fourier mode turns by c . k T and decays by exp(-k . D k T), which one step does exactly.
    The smaller D, the less a network can hide behind its smoothing: with D = 0 the map is a shift. The second solver
    is the implicit scheme of Radau.
    Good values: c = 1, D = 0.01, T = 0.5 at 64 points.

    >>> problem = AdvectionDiffusion(diffusivity=0.0, time=1.0)
    >>> u = problem.sample((32,), seed=0, indices=[0])
    >>> bool(torch.allclose(problem.solve(u).value, u))
    True
    """

    name: ClassVar[str] = "advection_diffusion"
    title: ClassVar[str] = "advection and diffusion"
    equation: ClassVar[str] = "u_t + c . grad u = div(D grad u)"
    second_scheme: ClassVar[type[Scheme]] = Radau

    velocity: tuple[float, ...] = (1.0,)
    diffusivity: float | tuple[tuple[float, ...], ...] = 0.01
    time: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        d = self.domain.dimension
        if len(self.velocity) != d:
            raise ValueError(f"the velocity {list(self.velocity)} does not fit {self.domain}: give {d} numbers")
        D = self._matrix()
        if D.shape != (d, d) or not np.allclose(D, D.T) or np.linalg.eigvalsh(D).min() < 0:
            raise ValueError(
                f"the diffusivity {self.diffusivity} is neither a number >= 0 nor a symmetric positive semi-definite "
                f"{d} x {d} matrix"
            )

    def evolution(self, grid: FourierGrid) -> Semilinear:
        D, linear = self._matrix(), torch.zeros((), dtype=torch.complex128)
        for i, k in enumerate(grid.odd_wavenumbers):
            linear = linear - 1j * self.velocity[i] * k - float(D[i, i]) * grid.wavenumbers[i].square()
            for j in range(i):
                linear = linear - 2 * float(D[i, j]) * k * grid.odd_wavenumbers[j]
        return Semilinear(grid, linear, torch.zeros_like)

    def _matrix(self) -> np.ndarray:
        D = np.array(self.diffusivity, dtype=float)
        return D * np.eye(self.domain.dimension) if D.ndim == 0 else D
