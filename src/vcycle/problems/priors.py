"""Distributions of the diffusion coefficient."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import Domain, GaussianField

Coefficient = Float[Tensor, "b 1 *grid"]


@dataclass(frozen=True, kw_only=True)
class Prior(ABC):
    """A distribution of coefficients a > 0: a pointwise function of a Gaussian field of unit variance.

    alpha and tau: smoothness and inverse length of the field (spaces.GaussianField).
    """

    name: ClassVar[str]
    alpha: float = 2.0
    tau: float = 3.0

    @abstractmethod
    def coefficient(self, z: Coefficient) -> Coefficient:
        """a from a zero-mean Gaussian field of unit variance (on average over the domain)."""

    def sample(self, domain: Domain, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Coefficient:
        """The coefficients with these indices, (b, 1, *shape), float64."""
        field = GaussianField(domain, self.alpha, self.tau)
        return self.coefficient(field.sample(shape, seed, indices) / math.sqrt(field.variance))

    def to_dict(self) -> dict[str, Any]:
        """Plain data, `name` first."""
        return {"name": self.name, **asdict(self)}


@dataclass(frozen=True)
class TwoPhase(Prior):
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
class LogNormal(Prior):
    """a = exp(sigma z): rock whose log-permeability varies smoothly with standard deviation sigma."""

    name: ClassVar[str] = "lognormal"
    sigma: float = 1.0

    def __post_init__(self) -> None:
        if not self.sigma >= 0:
            raise ValueError(f"a lognormal prior needs sigma >= 0, got {self.sigma}")

    def coefficient(self, z: Coefficient) -> Coefficient:
        return torch.exp(self.sigma * z)


@dataclass(frozen=True)
class HighContrast(Prior):
    """a = contrast in the winding channels {|z| < width}, 1 elsewhere: fractures in tight rock, contrast up to 1e6."""

    name: ClassVar[str] = "high_contrast"
    contrast: float = 1e6
    width: float = 0.25

    def __post_init__(self) -> None:
        if not 1 <= self.contrast <= 1e6:
            raise ValueError(f"a high-contrast prior needs 1 <= contrast <= 1e6, got {self.contrast:g}")

    def coefficient(self, z: Coefficient) -> Coefficient:
        return torch.where(z.abs() < self.width, torch.full_like(z, self.contrast), torch.ones_like(z))


PRIORS: dict[str, type[Prior]] = {p.name: p for p in (TwoPhase, LogNormal, HighContrast)}
