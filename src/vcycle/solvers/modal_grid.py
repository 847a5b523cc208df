"""Grids with a transform to modes in which the Laplacian is diagonal."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from vcycle.spaces import CPU, Domain

# Real values and coefficients, real or complex, whose shapes are not checked: a step of an equation passes here often.
Values = Tensor
Spectrum = Tensor


@dataclass(frozen=True)
class ModalGrid(ABC):
    """Points of a box and the modes they carry; transforms act on the trailing axes.

    Symbols are float64 on the device, made there once: values and spectra of equations lie on it too.
    """

    domain: Domain
    shape: tuple[int, ...]
    device: torch.device = CPU

    def __post_init__(self) -> None:
        if len(self.shape) != self.domain.dimension:
            raise ValueError(f"got the grid {self.shape} for {self.domain}: give one number of points per axis")

    @abstractmethod
    def transform(self, u: Values) -> Spectrum:
        """Values to coefficients."""

    @abstractmethod
    def inverse(self, u_hat: Spectrum) -> Values:
        """Coefficients to values."""

    @property
    @abstractmethod
    def laplacian(self) -> Float[Tensor, "*modes"]:
        """The symbol -|k|^2 of the Laplacian."""

    @property
    @abstractmethod
    def resolved(self) -> Bool[Tensor, "*modes"]:
        """The modes kept by the 2/3 rule: products of two functions of such modes alias onto none of them."""
