"""All modes of a grid of cells by fast Fourier transforms, two real modes in every complex number."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from vcycle.spaces.domain import Domain, Faces
from vcycle.spaces.grid import Grid


@dataclass(frozen=True)
class PairedModes:
    """Values (..., *grid) to coefficients (..., modes) of the eigenfunctions of the difference Laplacian, and back.

    The functions are those of `Basis` on cells, ordered and scaled as fast transforms leave them: for what is diagonal
    in them. O(log n) operations per cell and axis, any number of cells, any boundary condition.

    >>> modes = PairedModes(Domain.unit(1), (5,))
    >>> u = torch.rand(2, 5, dtype=torch.float64)
    >>> torch.allclose(modes.synthesise(modes.analyse(u)), u)
    True
    """

    domain: Domain
    shape: tuple[int, ...]

    def analyse(self, u: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        batch = u.shape[: u.ndim - len(self.shape)]
        c = u.reshape(math.prod(batch), -1)
        for line in self._lines:  # every axis comes first in its turn, and goes last
            c = torch.view_as_real(line.analyse(c.view(len(c), line.n, -1)).mT).reshape(len(c), -1)
        return c.view(*batch, -1)

    def synthesise(self, c: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        u, behind = c, 1
        for line in reversed(self._lines):
            u = line.synthesise(u.view(-1, len(line.steps), 2, behind))
            behind *= line.n
        return u.view(*c.shape[:-1], *self.shape)

    def laplacian(self, device: torch.device | str = "cpu") -> Float[Tensor, " modes"]:
        """Eigenvalues of -Laplacian by differences: (2 - 2 cos(omega h)) / h^2, summed over the axes."""
        total = torch.zeros(1, dtype=torch.float64, device=device)
        for line, h in zip(self._lines, Grid(self.domain, self.shape).spacing, strict=True):
            total = (total[:, None] + (2 - 2 * line.steps.to(device).cos()).flatten() / h**2).flatten()
        return total

    @property
    def _lines(self) -> list["_Line"]:
        return [_Line(n, faces) for n, faces in zip(self.shape, self.domain.boundary, strict=True)]


@dataclass(frozen=True)
class _Line:
    """One axis: v (r, n, m) to X_k - i X_(n - k), (r, k, m), by a Fourier transform of the same length.

    X is the cosine transform, from the even entries before the odd ones backwards (Makhoul 1980); with alternating
    signs it is the sine transform, backwards. Between a Dirichlet and a Neumann face v is even beyond the latter and
    has the odd ones of the sine modes of twice the length.
    """

    n: int
    faces: Faces

    @property
    def steps(self) -> Float[Tensor, "k 2"]:
        """omega h of the two modes in every number."""
        k = self._frequencies * math.pi / self._length
        if self.faces[0] == "periodic":
            return torch.stack([2 * k, 2 * k], -1)
        pair = k, math.pi - k
        return torch.stack(pair if "dirichlet" not in self.faces else pair[::-1], -1)

    def analyse(self, v: Float[Tensor, "r n m"]) -> Complex[Tensor, "r k m"]:
        if self.faces[0] == "periodic":
            return torch.fft.rfft(v, dim=1)
        v = v.flip(1) if self.faces == ("neumann", "dirichlet") else v
        even = (self.n + 1) // 2
        v = torch.cat([v[:, ::2], v[:, 1::2].flip(1)], 1)
        if self._odd:
            v[:, even:].neg_()
        c = torch.fft.rfft(torch.cat([v, -v], 1), dim=1)[:, 1::2] if self._mixed else torch.fft.rfft(v, dim=1)
        return c.mul_(self._turn(c).conj())

    def synthesise(self, c: Float[Tensor, "r k 2 m"]) -> Float[Tensor, "r n m"]:
        z = torch.complex(c[:, :, 0], c[:, :, 1])
        if self.faces[0] == "periodic":
            return torch.fft.irfft(z, self.n, dim=1).contiguous()
        z = z.mul_(self._turn(z))
        z = torch.stack([torch.zeros_like(z), z], 2).flatten(1, 2) if self._mixed else z
        w = torch.fft.irfft(z, self._length, dim=1)
        v, even = w.new_empty(len(w), self.n, w.shape[2]), (self.n + 1) // 2
        v[:, ::2], v[:, 1::2] = w[:, :even], w[:, even : self.n].flip(1)
        if self._odd:
            v[:, 1::2].neg_()
        return v.flip(1) if self.faces == ("neumann", "dirichlet") else v

    @property
    def _odd(self) -> bool:
        return self.faces == ("dirichlet", "dirichlet")

    @property
    def _mixed(self) -> bool:
        return set(self.faces) == {"dirichlet", "neumann"}

    @property
    def _length(self) -> int:
        return 2 * self.n if self._mixed else self.n

    @property
    def _frequencies(self) -> Float[Tensor, " k"]:
        first, step = (1, 2) if self._mixed else (0, 1)
        return torch.arange(first, self._length // 2 + 1, step, dtype=torch.float64)

    def _turn(self, c: Tensor) -> Complex[Tensor, "k 1"]:
        """exp(i pi k / (2 n))."""
        angle = self._frequencies * (math.pi / 2 / self._length)
        return torch.polar(torch.ones_like(angle), angle).to(c)[:, None]
