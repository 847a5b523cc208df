"""Fields carried to the grid that a network belongs to, and back."""

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import Domain, Placement, placed
from vcycle.spaces.basis import apply_axes
from vcycle.spaces.transfer import averaging_matrix, lagrange_matrix


@dataclass(frozen=True)
class ReferenceGrid:
    """The grid that a network N belongs to; to fields on any grid it applies as P N R.

    On cells R takes the averages of the function that is constant on the given cells: integrals are kept, and no value
    leaves the range of the input; on vertices it interpolates linearly. P to a finer grid is the cubic through the four
    nearest points per axis, so it commutes with every shift and scale of the outputs and is of fourth order for smooth
    ones; to a coarser grid it is R. On the reference grid itself R and P do nothing.
    """

    domain: Domain
    shape: tuple[int, ...]
    placement: Placement = "cell"

    def restrict(self, x: Float[Tensor, "b c *grid"]) -> Float[Tensor, "b c *reference"]:
        """R x."""
        return self._carry(x, self.shape, coefficient=True)

    def prolong(self, u: Float[Tensor, "b c *reference"], shape: tuple[int, ...]) -> Float[Tensor, "b c *grid"]:
        """P u on a grid of this shape."""
        return self._carry(u, shape, coefficient=False)

    def _carry(self, u: Tensor, shape: tuple[int, ...], *, coefficient: bool) -> Tensor:
        if tuple(u.shape[2:]) == shape:
            return u
        matrices = []
        for axis, (n, m) in enumerate(zip(u.shape[2:], shape, strict=True)):
            linear = coefficient or m < n
            if linear and self.placement == "cell":
                matrix = averaging_matrix(n, m)
            else:
                matrix = lagrange_matrix(n, m, 1 if linear else 3, self.placement, self.domain.periodic(axis))
            matrices.append(placed(matrix, u))
        return apply_axes(matrices, u)


def reference_grid(resolution: int | Sequence[int], domain: Domain, placement: Placement = "cell") -> ReferenceGrid:
    """The grid with one number of points for all axes, or one per axis. Raises ValueError."""
    shape = (resolution,) * domain.dimension if isinstance(resolution, int) else tuple(resolution)
    if len(shape) != domain.dimension or any(n < 2 for n in shape):
        raise ValueError(
            f"a resolution is one number of points, at least 2, or one for each of {domain.dimension} axes, got {shape}"
        )
    return ReferenceGrid(domain, shape, placement)
