"""Gaussian random fields that are the same function at every resolution."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces.basis import Basis, apply_axes, evaluate
from vcycle.spaces.domain import Domain, Faces
from vcycle.spaces.grid import Grid, Placement

DEFAULT_MODES = {1: 512, 2: 128, 3: 32}


def generator(seed: int, index: int, stream: int = 0) -> np.random.Generator:
    """The random numbers of one sample: a function of (seed, index, stream) alone, whatever was drawn before.

    Raises ValueError for an index outside 0..2^56-1 or a stream outside 0..255, which would share another's numbers.
    """
    if not (0 <= index < 2**56 and 0 <= stream < 2**8):
        raise ValueError(f"got index {index}, stream {stream}: expected 0 <= index < 2^56 and 0 <= stream < 256")
    return np.random.Generator(np.random.Philox(key=(seed % 2**64) << 64 | index << 8 | stream))


@dataclass(frozen=True)
class GaussianField:
    """Zero-mean Gaussian field with covariance tau^(2 alpha - d) (-Laplacian + tau^2)^-alpha, without constant mode.

    Periodic axes carry Fourier modes, all others cosines (no flux through the faces, whatever the domain's
    conditions for the unknown), or if `conforming` the modes of those conditions: sines vanish at Dirichlet faces. A
    sample is a sum of fixed modes, evaluated at the points of any grid: the same (seed, index) gives the same function
    at every resolution. Source: P151, section 1.7 of the released generators.
    """

    domain: Domain
    alpha: float = 2.0
    tau: float = 3.0
    modes: int | None = None
    conforming: bool = False

    def sample(
        self, shape: tuple[int, ...], seed: int, indices: Iterable[int], placement: Placement = "cell", stream: int = 0
    ) -> Float[Tensor, "b 1 *grid"]:
        """The samples `indices` of the stream `seed`, on a grid of the given shape, float64."""
        d, count = self.domain.dimension, self.modes or DEFAULT_MODES[self.domain.dimension]
        noise = np.stack([generator(seed, i, stream).standard_normal((count,) * d) for i in indices])
        coefficients = torch.from_numpy(noise) * self._amplitude(count)
        grid = Grid(self.domain, shape, placement)
        matrices = [
            evaluate(count, self._faces(axis), length, grid.axis(axis) - self.domain.extents[axis][0])
            for axis, length in enumerate(self.domain.lengths)
        ]
        return apply_axes(matrices, coefficients)[:, None]

    def standard(
        self, shape: tuple[int, ...], seed: int, indices: Iterable[int], placement: Placement = "cell", stream: int = 0
    ) -> Float[Tensor, "b 1 *grid"]:
        """The samples scaled to variance one, averaged over the domain."""
        return self.sample(shape, seed, indices, placement, stream) / math.sqrt(self.variance)

    @property
    def variance(self) -> float:
        """The pointwise variance, averaged over the domain: the sum of the squared amplitudes over the volume."""
        count = self.modes or DEFAULT_MODES[self.domain.dimension]
        return float(self._amplitude(count).square().sum()) / math.prod(self.domain.lengths)

    def _faces(self, axis: int) -> Faces:
        if self.conforming:
            return self.domain.boundary[axis]
        return ("periodic", "periodic") if self.domain.periodic(axis) else ("neumann", "neumann")

    def _amplitude(self, count: int) -> Float[Tensor, "*modes"]:
        from_axes = Domain(self.domain.extents, [self._faces(axis) for axis in range(self.domain.dimension)])
        eigenvalues = Basis(from_axes).laplacian((count,) * self.domain.dimension)
        amplitude = self.tau ** (self.alpha - self.domain.dimension / 2) * (eigenvalues + self.tau**2) ** (
            -self.alpha / 2
        )
        return torch.where(eigenvalues == 0, 0.0, amplitude)
