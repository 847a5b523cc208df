"""The Helmholtz equation -lap u - (omega / c)^2 u = f: waves of one frequency in a medium of varying speed."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from vcycle.problems.base import Field, Inputs, PerSample
from vcycle.problems.priors import LogNormal, Prior
from vcycle.problems.stationary import Stationary
from vcycle.problems.wave_operator import Wave, Wavenumber, WaveOperator, solve_assembled_waves, solve_waves_by_gmres
from vcycle.solvers import Solution, normalised
from vcycle.spaces import L2, Domain, Grid

SOURCE_STREAM = 1
SOURCE_WIDTH = 0.05
GMRES_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Helmholtz(Stationary):
    """-lap u - k^2 u = f with k = omega / c(x) on a box; u = 0 on Dirichlet faces.

    omega       the angular frequency
    absorbing   Neumann faces let waves out, du/dn = i k u: u is complex, with channels u_re and u_im. Otherwise they
                reflect, du/dn = 0, and u is real
    prior       distribution of the wave speed c > 0
    source      'point': f a Gaussian of mass 1 and width 1/20 in the middle; 'gaussian': a random field, a second input

    Behaviour: u oscillates with the wavelength 2 pi / k; a change of c shifts the phase of all that lies behind it: the
    map c -> u is non-linear, and the harder, the more wavelengths fit in. Reflecting boxes resonate: near an eigenvalue
    u grows without limit and cannot be learned; keep `absorbing`, or omega below the first resonance.
    Discretisation: finite volumes, second order; the phase is wrong by about (k h)^2 / 24 of the way in radians.
    Good values: omega = 20 with c around 1 at 64 x 64: three wavelengths across with 20 points each, 10 where c is
    least. With fewer than 8, as there at 32 x 32 and everywhere at 16 x 16, the labels are no waves of the PDE. A
    sparse direct solution on the processor, one factorisation per sample: meant for grids to 256 x 256 and, in three
    dimensions, 24^3.

    >>> problem = Helmholtz()
    >>> c = problem.sample((32, 32), seed=0, indices=range(2))
    >>> solution = problem.solve(c)
    >>> solution.converged.tolist()
    [True, True]
    """

    name: ClassVar[str] = "helmholtz"
    title: ClassVar[str] = "the Helmholtz equation"
    equation: ClassVar[str] = "-lap u - (omega / c)^2 u = f"

    domain: Domain = Domain.unit(2, "neumann")
    omega: float = 20.0
    absorbing: bool = True
    prior: Prior = LogNormal(sigma=0.2)
    source: Literal["point", "gaussian"] = "point"

    def __post_init__(self) -> None:
        if not 0 < self.omega < math.inf:
            raise ValueError(f"helmholtz needs a positive frequency omega, got {self.omega}")
        if self.absorbing and all("neumann" not in faces for faces in self.domain.boundary):
            raise ValueError(f"no face of {self.domain} can absorb: give a neumann face, or absorbing=False")

    @property
    def input_names(self) -> tuple[str, ...]:
        return ("c",) if self.source == "point" else ("c", "f")

    @property
    def output_names(self) -> tuple[str, ...]:
        return ("u_re", "u_im") if self.absorbing else ("u",)

    def sample(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Inputs:
        draw = self.prior.sample if self.source == "point" else self.prior.with_field
        return draw(self.domain, shape, seed, indices)

    def solve(
        self, inputs: Inputs, tolerance: float | None = None, most: int = 200, start: Field | None = None
    ) -> Solution:
        del most  # a direct solution
        k, f = self._fields(inputs)
        limit = self.tolerance if tolerance is None else tolerance
        if start is not None:
            u = self._best_multiple(start, k, f)
            residual = self.residual(inputs, u)
            if bool((residual <= limit).all()):
                return Solution(u, residual, 0, residual <= limit, "the start meets the tolerance")
        u = self._channels(solve_assembled_waves(k, f, self.domain, self.absorbing))
        residual = self.residual(inputs, u)
        message = f"solved directly to relative residuals of at most {float(residual.max()):.1e}"
        return Solution(u, residual, 1, residual <= limit, message)

    def residual(self, inputs: Inputs, u: Field) -> PerSample:
        """||f - A u|| / ||f|| with A applied without a matrix."""
        k, f = self._fields(inputs)
        volume = math.prod(Grid(self.domain, tuple(f.shape[2:])).spacing)
        r = f - WaveOperator(k, self.domain, self.absorbing)(self._wave(u)) / volume
        return r.abs().flatten(1).norm(dim=1) / f.flatten(1).norm(dim=1)

    def _best_multiple(self, start: Field, k: Wavenumber, f: Wavenumber) -> Field:
        """The complex multiple with the least residual; 0 where the start is 0 or not finite."""
        u, axes = self._wave(normalised(start)), tuple(range(1, f.ndim))
        Au = WaveOperator(k, self.domain, self.absorbing)(u) / math.prod(Grid(self.domain, tuple(f.shape[2:])).spacing)
        size = Au.abs().square().sum(axes, keepdim=True)
        factor = (Au.conj() * f).sum(axes, keepdim=True) / torch.where(size > 0, size, 1.0)
        return self._channels(factor * u)

    def verify(self, inputs: Inputs, u: Field) -> PerSample:
        k, f = self._fields(inputs)
        other = solve_waves_by_gmres(k, f, self.domain, self.absorbing, GMRES_TOLERANCE)
        return L2(self.domain).relative(u.double(), self._channels(other))

    def _fields(self, inputs: Inputs) -> tuple[Wavenumber, Wavenumber]:
        """k and f in double precision."""
        self.require_channels(inputs)
        inputs = inputs.double()
        if not bool((inputs[:, :1] > 0).all()):
            raise ValueError(
                f"the wave speed c must be positive everywhere, got a minimum of {float(inputs[:, :1].min()):g}"
            )
        k = self.omega / inputs[:, :1]
        return k, inputs[:, 1:] if self.source == "gaussian" else self._point(inputs[:, :1])

    def _point(self, like: Field) -> Field:
        """A Gaussian of mass 1 in the middle of the box."""
        width, square = SOURCE_WIDTH * min(self.domain.lengths), torch.zeros(())
        for x, (low, high) in zip(Grid(self.domain, tuple(like.shape[2:])).mesh(), self.domain.extents, strict=True):
            square = square + (x - (low + high) / 2).square()
        bump = torch.exp(-square / (2 * width**2)) / (2 * math.pi * width**2) ** (self.domain.dimension / 2)
        return bump.to(like).expand(like.shape)

    def _channels(self, u: Wave) -> Field:
        return torch.cat([u.real, u.imag], 1) if self.absorbing else u.real

    def _wave(self, u: Field) -> Wave:
        u = u.double()
        return torch.complex(u[:, :1], u[:, 1:] if self.absorbing else torch.zeros_like(u))
