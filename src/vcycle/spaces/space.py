"""Function spaces: where an operator takes its functions from and where it puts them."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from vcycle.spaces.domain import Domain
from vcycle.spaces.grid import Grid, Placement


@dataclass(frozen=True)
class Space:
    """Functions with `channels` components on a domain, sampled at any resolution; L2 inner product by quadrature."""

    domain: Domain
    channels: int = 1
    placement: Placement = "cell"

    def __post_init__(self) -> None:
        if self.channels < 1:
            raise ValueError(f"a space of functions has 1 channel or more, got {self.channels}: give larger widths")

    def weights(self, u: Float[Tensor, "b c *grid"]) -> Float[Tensor, "*grid"]:
        """Quadrature weights of the grid that u is sampled on."""
        return Grid(self.domain, tuple(u.shape[2:]), self.placement).weights().to(u)

    def inner(self, u: Float[Tensor, "b c *grid"], v: Float[Tensor, "b c *grid"]) -> Float[Tensor, " b"]:
        """(u, v) = integral of sum_c u_c v_c, per sample."""
        return (u * v * self.weights(u)).flatten(1).sum(1)
