"""Distributions of the diffusion coefficient."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import Domain, GaussianField, Grid, generator

Coefficient = Float[Tensor, "b 1 *grid"]
Pair = Float[Tensor, "b 2 *grid"]
FIELD_STREAM = 1


@dataclass(frozen=True)
class Prior(ABC):
    """A distribution of coefficients a > 0."""

    name: ClassVar[str]

    @abstractmethod
    def sample(self, domain: Domain, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Coefficient:
        """The coefficients with these indices, (b, 1, *shape), float64."""

    def with_field(self, domain: Domain, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Pair:
        """The coefficients, and beside each an independent Gaussian field of unit variance: a source, a state."""
        indices = list(indices)
        field = GaussianField(domain).standard(shape, seed, indices, stream=FIELD_STREAM)
        return torch.cat([self.sample(domain, shape, seed, indices), field], 1)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, `name` first."""
        return {"name": self.name, **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class FieldPrior(Prior):
    """A pointwise function of a Gaussian field of unit variance.

    alpha and tau: smoothness and inverse length of the field (spaces.GaussianField).
    """

    alpha: float = 2.0
    tau: float = 3.0

    @abstractmethod
    def coefficient(self, z: Coefficient) -> Coefficient:
        """a from a zero-mean Gaussian field of unit variance (on average over the domain)."""

    def sample(self, domain: Domain, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Coefficient:
        field = GaussianField(domain, self.alpha, self.tau)
        return self.coefficient(field.standard(shape, seed, indices))


@dataclass(frozen=True)
class TwoPhase(FieldPrior):
    """a = high where the field is positive, low elsewhere: two materials. Source: P151, whose data use 12 and 3."""

    name: ClassVar[str] = "two_phase"
    low: float = 3.0
    high: float = 12.0

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.high:
            raise ValueError(f"a two-phase prior needs 0 < low <= high, got low={self.low}, high={self.high}")

    def coefficient(self, z: Coefficient) -> Coefficient:
        return torch.where(z > 0, torch.full_like(z, self.high), torch.full_like(z, self.low))


@dataclass(frozen=True)
class LogNormal(FieldPrior):
    """a = exp(sigma z): rock whose log-permeability varies smoothly with standard deviation sigma."""

    name: ClassVar[str] = "lognormal"
    sigma: float = 1.0

    def __post_init__(self) -> None:
        if not self.sigma >= 0:
            raise ValueError(f"a lognormal prior needs sigma >= 0, got {self.sigma}")

    def coefficient(self, z: Coefficient) -> Coefficient:
        return torch.exp(self.sigma * z)


@dataclass(frozen=True)
class HighContrast(FieldPrior):
    """a = contrast in the winding channels {|z| < width}, 1 elsewhere: fractures in tight rock, contrast up to 1e6."""

    name: ClassVar[str] = "high_contrast"
    contrast: float = 1e6
    width: float = 0.25

    def __post_init__(self) -> None:
        if not 1 <= self.contrast <= 1e6:
            raise ValueError(f"a high-contrast prior needs 1 <= contrast <= 1e6, got {self.contrast:g}")

    def coefficient(self, z: Coefficient) -> Coefficient:
        return torch.where(z.abs() < self.width, torch.full_like(z, self.contrast), torch.ones_like(z))


@dataclass(frozen=True)
class Multiscale(Prior):
    """a = prod_(k = 1..scales) (1 + cos(r_k pi s) / 2) (1 + sin(r_k pi t) / 2), s = x_1 + ... + x_d, t = x_d - 3 x_1.

    r_k is uniform in (2^(k-1), 3/2 2^(k-1)), x in the unit box: oscillations in octaves without a separation of scales.
    With 6 scales of the form that is usual in two dimensions, whose finest waves need 256 points per axis; four are
    resolved by 64. The contrast is at most 9^scales. The waves do not fit periodic axes, where a jumps at the ends.
    """

    name: ClassVar[str] = "multiscale"
    scales: int = 4

    def __post_init__(self) -> None:
        if not 1 <= self.scales <= 12:
            raise ValueError(f"a multiscale prior needs 1 <= scales <= 12, got {self.scales}")

    def sample(self, domain: Domain, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Coefficient:
        x = Grid(Domain.unit(domain.dimension), shape).mesh()
        s, t = torch.stack(x).sum(0), x[-1] - 3 * x[0]
        out = []
        for index in indices:
            a = torch.ones(shape, dtype=torch.float64)
            for k, share in enumerate(generator(seed, index).random(self.scales)):
                r = 2**k * (1 + 0.5 * float(share))
                a = a * (1 + 0.5 * torch.cos(r * math.pi * s)) * (1 + 0.5 * torch.sin(r * math.pi * t))
            out.append(a)
        return torch.stack(out)[:, None]
