"""All modes of a grid of cells by products with matrices, which are made once."""

from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import Basis, Domain, Grid
from vcycle.spaces.basis import apply_axes


class MatrixModes:
    """Values (..., *grid) to coefficients (..., *modes) in the functions of `Basis`, and back, on a device.

    >>> modes = MatrixModes(Domain.unit(1), (5,), torch.device("cpu"))
    >>> u = torch.rand(2, 5, dtype=torch.float64)
    >>> torch.allclose(modes.synthesise(modes.analyse(u)), u)
    True
    """

    def __init__(self, domain: Domain, shape: tuple[int, ...], device: torch.device):
        self.basis, self.shape, self.device = Basis(domain), shape, device

    def analyse(self, u: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        return apply_axes([analysis.to(u.dtype) for analysis, _ in self._pairs], u)

    def synthesise(self, c: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        return apply_axes([synthesis.to(c.dtype) for _, synthesis in self._pairs], c)

    def laplacian(self, device: torch.device | str = "cpu") -> Float[Tensor, "*modes"]:
        """Eigenvalues of -Laplacian by differences: (2 - 2 cos(omega h)) / h^2, summed over the axes."""
        counts, spacing = self.basis.counts(self.shape), Grid(self.basis.domain, self.shape).spacing
        return self.basis.laplacian(counts, spacing, device)

    @cached_property
    def _pairs(self) -> list[tuple[Float[Tensor, "_ _"], Float[Tensor, "_ _"]]]:
        like = torch.empty((), dtype=torch.float64, device=self.device)
        return self.basis.matrices(self.shape, self.basis.counts(self.shape), like)
