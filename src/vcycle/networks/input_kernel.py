"""Integral operators of finite rank that depend on a field."""

from jaxtyping import Float
from torch import Tensor, nn

from vcycle.operators import Functions, separable
from vcycle.spaces import Space


class InputKernel(nn.Module):
    """(W_a v)(x) = sum_r phi_r(x, a(x)) integral of psi_r(y, a(y)) v(y) dy: for each field a linear in v.

    phi and psi take the points and the channels of a; counts and `entries` as in operators.FiniteRank.
    """

    def __init__(
        self, source: Space, target: Space, phi: Functions, psi: Functions, rank: int, *, entries: bool = False
    ):
        super().__init__()
        self.source, self.target, self.rank, self.entries = source, target, rank, entries
        self.phi, self.psi = phi, psi

    def forward(self, v: Float[Tensor, "b i *grid"], z: Float[Tensor, "b j *grid"]) -> Float[Tensor, "b o *grid"]:
        """W_a v, with z = (points of the unit box, a)."""
        return separable(self.phi.factors(z), self.psi.factors(z), v, self.source, self.target, entries=self.entries)

    def extra_repr(self) -> str:
        return f"{self.source.channels} -> {self.target.channels}, rank={self.rank}, entries={self.entries}"
