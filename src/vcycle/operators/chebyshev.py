"""Chebyshev smoothing: damped Jacobi steps whose damping factors are the best ones together."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.operators.base import LinearOperator, differentiated
from vcycle.operators.compact import Compact
from vcycle.operators.finite_volume import FiniteVolume

Field = Float[Tensor, "b c *grid"]


class Chebyshev(LinearOperator):
    """S r = p(D^-1 A) D^-1 r: `steps` steps u <- u + omega_i D^-1 (r - A u) from u = 0.

    1 / omega_i are the Chebyshev nodes of [low, largest]: of all polynomials in D^-1 A with the value 1 at 0 theirs is
    least there. D is the diagonal of A, or what is given in its place; 2 is the largest eigenvalue of D^-1 A of finite
    volumes. Self-adjoint and positive.
    Source: Adams, Brezina, Hu, Tuminaro 2003.
    """

    def __init__(
        self,
        A: FiniteVolume | Compact,
        steps: int = 3,
        low: float = 0.4,
        largest: float = 2.0,
        diagonal: Field | None = None,
    ):
        super().__init__(A.source, A.target, frozenset({"self_adjoint", "positive"}))
        self.A = A
        middle, radius = (largest + low) / 2, (largest - low) / 2
        self.factors = [1 / (middle + radius * math.cos(math.pi * (i + 0.5) / steps)) for i in range(steps)]
        self.register_buffer("inverse_diagonal", 1 / (A.diagonal if diagonal is None else diagonal))
        self.offsets: tuple[int, ...] = ()
        if isinstance(A, FiniteVolume) and diagonal is None:
            self._keep_rows(A)

    inverse_diagonal: Tensor

    def forward(self, u: Field) -> Field:
        first, *others = self.factors
        g = u * self.inverse_diagonal
        return self._relaxed(first * g, u, g, others)

    def improved(self, u: Field, f: Field) -> Field:
        """u + S(f - A u)."""
        return self._relaxed(u, f, f * self.inverse_diagonal, self.factors)

    def _relaxed(self, u: Field, f: Field, g: Field, factors: list[float]) -> Field:
        if self.offsets:
            u, g = u.contiguous(), g.contiguous()  # neighbours are found by their places in memory
        for omega in factors:
            if self.offsets and not differentiated(u, f):
                u = self._add_neighbours(torch.lerp(u, g, omega), u, omega)
            else:
                u = torch.addcmul(u, self.A.residual(f, u), self.inverse_diagonal, value=omega)
        return u

    def _keep_rows(self, A: FiniteVolume) -> None:
        """The rows of 1 - D^-1 A, which are neighbours only: a step then costs no more than their sum.

        Neighbours above and below along every axis, as cells lie in memory, with weight 0 where a wall is between. Not
        where an axis is periodic: neighbours are then not all equally far away.
        """
        shape, inverse = tuple(A.diagonal.shape[2:]), self.inverse_diagonal[:, 0]
        d, stencil = len(shape), A.stencil()
        if any(A.domain.periodic(axis) for axis in range(d)):
            return
        for axis in range(d):
            offset = math.prod(shape[axis + 1 :])
            for name, sign, place in (("above", 1, slice(None, -offset)), ("below", -1, slice(offset, None))):
                entries = stencil[tuple(sign * (other == axis) for other in range(d))]
                self.register_buffer(f"{name}{axis}", (-entries * inverse).flatten(1)[:, place].contiguous())
            self.offsets += (offset,)

    def _add_neighbours(self, out: Field, u: Field, omega: float) -> Field:
        """out += omega (1 - D^-1 A) u, in place."""
        to, near, cells = out.view(len(out), -1), u.view(len(u), -1), u[0].numel()
        for axis, offset in enumerate(self.offsets):
            above, below = getattr(self, f"above{axis}"), getattr(self, f"below{axis}")
            to.narrow(1, 0, cells - offset).addcmul_(above, near.narrow(1, offset, cells - offset), value=omega)
            to.narrow(1, offset, cells - offset).addcmul_(below, near.narrow(1, 0, cells - offset), value=omega)
        return out

    def adjoint(self) -> LinearOperator:
        return self

    def norm_bound(self) -> float | None:
        """None: the polynomial is bounded, but in the norm of A, not in L2."""
        return None


class Relaxation(nn.Module):
    """u <- u + S(f - A u) with Chebyshev's S; from u = 0 simply S f."""

    def __init__(self, S: Chebyshev):
        super().__init__()
        self.S = S

    def forward(self, u: Field | None, f: Field) -> Field:
        return self.S(f) if u is None else self.S.improved(u, f)
