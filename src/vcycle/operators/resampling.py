"""Fixed maps between a grid and the one with half the points: averages of cells, and interpolation."""

import math
from functools import reduce
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.base import Adjoint, LinearOperator
from vcycle.operators.continuation import Faces
from vcycle.operators.schur import schur_bound, transposed_counts
from vcycle.spaces import Ghost, Space, pad
from vcycle.spaces.basis import apply_axes

AVERAGE = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
InterpolationName = Literal["constant", "linear", "cubic", "catmull_rom"]


class Average(LinearOperator):
    """(W u)(X) = mean of u over the 2^d cells that make up the coarse cell X. It keeps the integral of u, ||W|| = 1."""

    def __init__(self, space: Space):
        _require_cells(space)
        super().__init__(space, space, frozenset({"refines"}))

    def forward(self, u: Float[Tensor, "b c *grid"]) -> Float[Tensor, "b c *coarse"]:
        if any(n % 2 for n in u.shape[2:]):
            raise ValueError(
                f"Average joins cells in pairs along every axis, so it needs even numbers of them, got "
                f"{tuple(u.shape[2:])}: take another resolution"
            )
        return AVERAGE[u.ndim - 2](u, 2)

    def adjoint(self) -> LinearOperator:
        """W* repeats every value on the 2^d cells."""
        return Interpolation(self.source, "constant")

    def norm_bound(self) -> float | None:
        """1, attained by constants."""
        return 1.0


class Interpolation(LinearOperator):
    """(P u)(x) = sum_y k((x_1 - y_1) / h) ... k((x_d - y_d) / h) u(y), from n to 2 n cells per axis.

    kernel   k: 'constant' repeats values, 'linear' is exact on affine functions, 'catmull_rom' on quadratic ones (the
             cubic convolution of Keys with a = -1/2), 'cubic' is the one of torch (a = -3/4): sharper, but exact on
             constants alone
    ghost    'zeros', 'circular', 'reflect' or 'replicate' at every face; otherwise periodic axes wrap and u continues
             as a constant beyond the other faces, whatever the conditions of the domain: a hidden field need not vanish
             where the solution does

    Without ghost zeros P maps constants to constants.
    """

    def __init__(self, space: Space, kernel: InterpolationName = "linear", *, ghost: Ghost | None = None):
        _require_cells(space)
        if kernel not in KERNELS:
            raise ValueError(f"unknown interpolation {kernel!r}: expected one of {', '.join(KERNELS)}")
        if ghost not in (None, *get_args(Ghost)):
            raise ValueError(f"unknown ghost {ghost!r}: expected one of {', '.join(get_args(Ghost))}, or None")
        converges = kernel != "cubic" and ghost is None
        super().__init__(space, space, frozenset({"refines"} if converges else ()))
        self.kernel, self.faces = kernel, _faces(space, ghost)
        self.weights = KERNELS[kernel]

    @property
    def width(self) -> int:
        """Ghost points that the kernel reaches beyond either end."""
        return len(self.weights) // 4

    def forward(self, u: Float[Tensor, "b c *grid"]) -> Float[Tensor, "b c *fine"]:
        if any(n < self._least(pair) for n, pair in zip(u.shape[2:], self.faces, strict=True)):
            raise ValueError(
                f"{self.kernel} interpolation sees {self.width} points beyond a face, more than a grid of "
                f"{tuple(u.shape[2:])} points continues to: take a finer grid or fewer levels"
            )
        return apply_axes([self._matrix(n, axis, u) for axis, n in enumerate(u.shape[2:])], u)

    def _matrix(self, n: int, axis: int, like: Tensor) -> Float[Tensor, "m n"]:
        """Interpolation along one axis. Products of matrices are several times faster than grouped convolutions."""
        extended = pad(torch.eye(n, dtype=like.dtype, device=like.device), self.width, (self.faces[axis],))
        kernel = torch.tensor(self.weights, dtype=like.dtype, device=like.device)
        return F.conv_transpose1d(extended[:, None], kernel[None, None], stride=2, padding=self._crop)[:, 0].mT

    @property
    def _crop(self) -> int:
        return len(self.weights) // 2 - 1 + 2 * self.width

    def _least(self, pair: tuple[Ghost, Ghost]) -> int:
        return {"circular": self.width, "reflect": self.width + 1}.get(pair[0], 1)

    def adjoint(self) -> LinearOperator:
        """Averages for the constant kernel, else by automatic differentiation."""
        return Average(self.source) if self.kernel == "constant" else Adjoint(self, refinement=2.0)

    def norm_bound(self) -> float | None:
        """Schur's test."""
        d = self.source.domain.dimension
        one = torch.tensor(self.weights, dtype=torch.float64)
        weight = reduce(lambda product, k: product[..., None] * k, [one] * d)
        counts = [transposed_counts(len(one), 2, self.width, self._crop, pair) for pair in self.faces]
        return schur_bound(weight[None, None], counts) / math.sqrt(2**d)

    def extra_repr(self) -> str:
        return f"{self.source.channels} channels, {self.kernel}"


def _cubic(a: float) -> tuple[float, ...]:
    """The cubic convolution kernel of Keys at the distances -7/4, -5/4, ..., 7/4 of fine from coarse cell centres."""

    def k(x: float) -> float:
        if x < 1:
            return (a + 2) * x**3 - (a + 3) * x**2 + 1
        return a * (x**3 - 5 * x**2 + 8 * x - 4)

    return tuple(k(abs(2 * i - 7) / 4) for i in range(8))


KERNELS: dict[InterpolationName, tuple[float, ...]] = {
    "constant": (1.0, 1.0),
    "linear": (0.25, 0.75, 0.75, 0.25),
    "cubic": _cubic(-0.75),
    "catmull_rom": _cubic(-0.5),
}


def _faces(space: Space, ghost: Ghost | None) -> Faces:
    d = space.domain.dimension
    if ghost is not None:
        return ((ghost, ghost),) * d
    wraps: tuple[Ghost, Ghost] = ("circular", "circular")
    return tuple(wraps if space.domain.periodic(axis) else ("replicate", "replicate") for axis in range(d))


def _require_cells(space: Space) -> None:
    if space.placement != "cell":
        raise ValueError(
            f"coarse cells are made of 2 fine ones per axis, which vertices are not: got a space of {space.placement} "
            "values, expected placement='cell'"
        )
