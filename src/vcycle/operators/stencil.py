"""Stencils: convolutions with a channel matrix, and their transposes from coarse to fine grids."""

import math
from typing import get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.operators.base import Adjoint, LinearOperator
from vcycle.operators.continuation import Faces, continued
from vcycle.operators.schur import convolution_counts, quadrature_spread, schur_bound, transposed_counts
from vcycle.spaces import Ghost, Space, ghosts

CONVOLUTION = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


class Stencil(LinearOperator):
    """(W u)_o(x) = sum_i sum_s K_oi(s) u_i(x + s h) + b_o, with offsets s in a box of `kernel` points per axis.

    Beyond the boundary u continues as the conditions of the source's domain say, or as `ghost` says at every face.
    `padding` ghost points are seen at each end, kernel // 2 unless given. stride = 2 keeps every second point, which
    is a restriction to a grid with half the points. With a bias b the map is affine (tag 'affine').
    """

    def __init__(
        self,
        source: Space,
        target: Space,
        kernel: int = 3,
        stride: int = 1,
        *,
        ghost: Ghost | None = None,
        padding: int | None = None,
        bias: bool = False,
    ):
        faces = _faces(source, ghost)
        equivariant = stride == 1 and _kinds(faces) == {"circular"}
        tags = {"translation_equivariant": equivariant, "affine": bias}
        super().__init__(source, target, frozenset(tag for tag, holds in tags.items() if holds))
        self.kernel, self.stride, self.faces = kernel, stride, faces
        self.padding = kernel // 2 if padding is None else padding
        shape = (target.channels, source.channels) + (kernel,) * source.domain.dimension
        self.weight, self.bias = uniform_parameters(shape, target.channels if bias else None)

    def forward(self, u: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *target"]:
        width = self.padding
        if _kinds(self.faces) != {"zeros"} and width > 0:
            u, width = continued(u, width, self.faces), 0
        return CONVOLUTION[self.source.domain.dimension](u, self.weight, self.bias, self.stride, width)

    def adjoint(self) -> LinearOperator:
        if self.padding != self.kernel // 2 or self.kernel % 2 == 0:
            raise NotImplementedError(
                f"the adjoint of a Stencil with kernel {self.kernel} and padding {self.padding} is not offered: "
                "use an odd kernel and the default padding"
            )
        return Adjoint(self, refinement=1 / self.stride)

    def norm_bound(self) -> float | None:
        """Schur's test; None where grids of different spacing are not exactly in the ratio of the stride."""
        if self.padding < self.kernel // 2 or (self.stride > 1 and quadrature_spread(self.source) > 1):
            return None
        counts = [convolution_counts(self.kernel, self.stride, self.padding, pair) for pair in self.faces]
        larger_cells = self.stride ** (len(counts) / 2)
        return schur_bound(self.weight, counts) * larger_cells * quadrature_spread(self.source)

    def extra_repr(self) -> str:
        return _describe(self)


class Prolongation(LinearOperator):
    """(P u)_o(x) = sum_i sum_y K_io(x - stride y) u_i(y): a transposed convolution, from n to stride * n points.

    Beyond the boundary the coarse u continues as the conditions say (periodic functions stay periodic), or as `ghost`
    says at every face. kernel 4, stride 2, padding 1 doubles the points exactly; in general n points become
    (n - 1) stride + kernel - 2 padding. P0 uses ghost = 'zeros' whatever the boundary condition.
    """

    def __init__(
        self,
        source: Space,
        target: Space,
        kernel: int = 4,
        stride: int = 2,
        *,
        padding: int = 1,
        ghost: Ghost | None = None,
    ):
        super().__init__(source, target)
        self.kernel, self.stride, self.padding, self.faces = kernel, stride, padding, _faces(source, ghost)
        # As many coarse points beyond the boundary as the kernel can carry to points inside.
        reach = max(0, (kernel - 1 - padding) // stride)
        self.width = 0 if _kinds(self.faces) == {"zeros"} else reach
        shape = (source.channels, target.channels) + (kernel,) * source.domain.dimension
        self.weight, _ = uniform_parameters(shape, None)

    def forward(self, u: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *target"]:
        if self.width > 0:
            u = continued(u, self.width, self.faces)
        return TRANSPOSED[self.source.domain.dimension](u, self.weight, None, self.stride, self._crop)

    @property
    def _crop(self) -> int:
        return self.padding + self.stride * self.width

    def adjoint(self) -> LinearOperator:
        if self.kernel - 2 * self.padding != self.stride:
            raise NotImplementedError(
                f"the adjoint of a Prolongation with kernel {self.kernel}, stride {self.stride} and padding "
                f"{self.padding} is not offered: choose kernel - 2 padding = stride, so that n becomes stride * n"
            )
        return Adjoint(self, refinement=float(self.stride))

    def norm_bound(self) -> float | None:
        """Schur's test; None where n points do not become exactly stride * n cells."""
        if self.kernel - 2 * self.padding != self.stride or quadrature_spread(self.source) > 1:
            return None
        counts = [transposed_counts(self.kernel, self.stride, self.width, self._crop, pair) for pair in self.faces]
        return schur_bound(self.weight.transpose(0, 1), counts) / self.stride ** (len(counts) / 2)

    def extra_repr(self) -> str:
        return _describe(self)


def uniform_parameters(shape: tuple[int, ...], bias: int | None) -> tuple[nn.Parameter, nn.Parameter | None]:
    """Weight and bias uniform in +-1/sqrt(entries per first index), as torch initialises its convolutions."""
    limit = 1 / math.sqrt(math.prod(shape[1:]))
    weight = nn.Parameter(torch.empty(shape).uniform_(-limit, limit))
    return weight, None if bias is None else nn.Parameter(torch.empty(bias).uniform_(-limit, limit))


def _faces(space: Space, ghost: Ghost | None) -> Faces:
    if ghost not in (None, *get_args(Ghost)):
        raise ValueError(f"unknown ghost {ghost!r}: expected one of {', '.join(get_args(Ghost))}, or None")
    return ghosts(space.domain) if ghost is None else ((ghost, ghost),) * space.domain.dimension


def _kinds(faces: Faces) -> set[Ghost]:
    return {kind for pair in faces for kind in pair}


def _describe(operator: Stencil | Prolongation) -> str:
    ghost = "/".join(sorted(_kinds(operator.faces)))
    return (
        f"{operator.source.channels} -> {operator.target.channels}, kernel={operator.kernel}, "
        f"stride={operator.stride}, padding={operator.padding} {ghost}"
    )
