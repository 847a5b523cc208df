"""A learned sparse factor for conjugate gradients: positive by construction."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.preconditioner import LearnedPreconditioner
from vcycle.operators import FiniteVolume, Pointwise, Stencil
from vcycle.operators.sparse_factor import FactorInverse, SparseFactor, before, couplings
from vcycle.spaces import Domain, Space

Field = Float[Tensor, "b 1 *grid"]
UNIFORM_PIVOT = 0.853553  # (2 + sqrt 2) / 4: of IC(0) for the five-point Laplacian, far from the boundary


class LearnedFactor(LearnedPreconditioner):
    """B = (L L^T)^-1, L with the pattern of the lower triangle of A and entries from the couplings around a cell.

    With A scaled to unit diagonal and couplings c_i to the cells before along axis i,
        L_xx = p^(1/2) exp(g_0(x)),    L_(x, x - e_i) = -c_i exp(g_i(x)) / L_(x - e_i, x - e_i),
    g a network of two stencils that sees all couplings within two cells; g = 0 at the start. Loss: ||(L L^T - A) e||^2
    / ||A e||^2, the Frobenius norm weighted with errors e of the systems: without the weight the best factor is worse
    than IC(0). Source: P216; features and network are ours.
    """

    def __init__(self, domain: Domain, width: int = 16):
        super().__init__()
        d = domain.dimension
        seen, hidden, out = Space(domain, 2 * d), Space(domain, width), Space(domain, d + 1)
        last = Pointwise(hidden, out, bias=True)
        for p in last.parameters():
            nn.init.zeros_(p)
        self.g = nn.Sequential(
            Stencil(seen, hidden, ghost="zeros", bias=True),
            nn.GELU(),
            Stencil(hidden, hidden, ghost="zeros", bias=True),
            nn.GELU(),
            last,
        )

    def at(self, A: FiniteVolume) -> FactorInverse:
        with torch.no_grad():
            root, factor = A.diagonal.sqrt(), self.factor(A)
            scaled = SparseFactor(root * factor.diagonal, tuple(root * lower for lower in factor.lower))
        return scaled.inverse(A.domain)

    def factor(self, A: FiniteVolume) -> SparseFactor:
        """The factor of D^-1/2 A D^-1/2, D the diagonal of A."""
        root = A.diagonal.sqrt()
        c = [k / (root * before(root, axis)) for axis, k in enumerate(couplings(A))]
        after = [
            torch.cat([x.narrow(dim, 1, x.shape[dim] - 1), 0 * x.narrow(dim, 0, 1)], dim) for dim, x in enumerate(c, 2)
        ]
        g = self.g(torch.cat([*c, *after], 1).float()).to(root).split(1, 1)
        diagonal = UNIFORM_PIVOT**0.5 * g[0].exp()
        return SparseFactor(
            diagonal,
            tuple(-x * h.exp() / before(diagonal, axis) for axis, (x, h) in enumerate(zip(c, g[1:], strict=True))),
        )

    def loss(self, A: FiniteVolume, e: Field) -> Float[Tensor, ""]:
        root = A.diagonal.sqrt()
        r = A(e) / root
        left = (self.factor(A).product(root * e) - r).square().flatten(1).sum(1)
        return (left / r.square().flatten(1).sum(1)).mean()
