"""Fourier calculus on a periodic box: derivatives are products with i k, smooth functions exact to rounding."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from vcycle.solvers.modal_grid import ModalGrid, Spectrum, Values

Real = Float[Tensor, "..."]


@dataclass(frozen=True)
class FourierGrid(ModalGrid):
    """The transform u_hat(k) = sum_x u(x) exp(-i k x) on the trailing axes of u, and what is diagonal in it.

    The last axis holds k >= 0 only, for u is real. `like` moves and casts symbols.

    >>> from vcycle.spaces import Domain
    >>> grid = FourierGrid(Domain([2 * math.pi], "periodic"), (16,))
    >>> x = torch.arange(16, dtype=torch.float64) * (2 * math.pi / 16)
    >>> bool(torch.allclose(grid.derivative(x.sin(), 0), x.cos()))
    True
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.domain.torus:
            raise ValueError(
                f"Fourier modes need a box that is periodic along every axis, got {self.domain}: "
                "use boundary='periodic'"
            )

    def transform(self, u: Values) -> Spectrum:
        return torch.fft.rfftn(u, dim=self._axes)

    def inverse(self, u_hat: Spectrum) -> Values:
        return torch.fft.irfftn(u_hat, s=self.shape, dim=self._axes)

    @cached_property
    def frequencies(self) -> tuple[Float[Tensor, "..."], ...]:
        """The integers m of k = 2 pi m / L per axis, each shaped to broadcast against a spectrum."""
        last = len(self.shape) - 1
        out = []
        for axis, n in enumerate(self.shape):
            numbers = torch.fft.rfftfreq if axis == last else torch.fft.fftfreq
            view = [-1 if other == axis else 1 for other in range(last + 1)]
            out.append(numbers(n, d=1 / n, dtype=torch.float64).round().view(view).to(self.device))
        return tuple(out)

    @cached_property
    def wavenumbers(self) -> tuple[Float[Tensor, "..."], ...]:
        """k per axis."""
        return tuple(
            m * (2 * math.pi / length) for m, length in zip(self.frequencies, self.domain.lengths, strict=True)
        )

    @cached_property
    def odd_wavenumbers(self) -> tuple[Float[Tensor, "..."], ...]:
        """k per axis for odd derivatives: 0 at the grid frequency, whose sine no grid point sees."""
        zipped = zip(self.wavenumbers, self.frequencies, self.shape, strict=True)
        return tuple(torch.where(2 * m.abs() == n, 0.0, k) for k, m, n in zipped)

    @cached_property
    def laplacian(self) -> Float[Tensor, "*modes"]:
        """The symbol -|k|^2 of the Laplacian."""
        total = torch.zeros(())
        for k in self.wavenumbers:
            total = total - k.square()
        return total

    @cached_property
    def inverse_laplacian(self) -> Float[Tensor, "*modes"]:
        """1 / |k|^2, the symbol of the solution of -lap u = f with mean zero: 0 at k = 0."""
        return torch.where(self.laplacian == 0, 0.0, -1 / torch.where(self.laplacian == 0, 1.0, self.laplacian))

    @cached_property
    def resolved(self) -> Bool[Tensor, "*modes"]:
        """The modes 3 |m| < n kept by the 2/3 rule: products of two such functions alias onto none of them."""
        keep = torch.ones((), dtype=torch.bool)
        for m, n in zip(self.frequencies, self.shape, strict=True):
            keep = keep & (3 * m.abs() < n)
        return keep

    def derivative(self, u: Real, axis: int, order: int = 1) -> Real:
        """The derivative along one axis."""
        u_hat = self.transform(u)
        k = (self.odd_wavenumbers if order % 2 else self.wavenumbers)[axis]
        return self.inverse(u_hat * like((1j * k) ** order, u_hat))

    @cached_property
    def _axes(self) -> tuple[int, ...]:
        return tuple(range(-len(self.shape), 0))


def like(symbol: Tensor, u_hat: Spectrum) -> Tensor:
    """A real or complex symbol on the device and in the precision of a spectrum."""
    if symbol.is_complex():
        return symbol.to(u_hat)
    return symbol.to(u_hat.device, u_hat.real.dtype if symbol.is_floating_point() else symbol.dtype)
