"""A V-cycle per component as preconditioner of systems with the gradient of every component in their energy."""

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.base import LinearOperator
from vcycle.operators.finite_volume import FiniteVolume
from vcycle.operators.geometric import geometric_multigrid
from vcycle.operators.multigrid import Multigrid
from vcycle.spaces import Domain, Space, conductances

Field = Float[Tensor, "b c *grid"]
SINGLE_PRECISION_CONTRAST = 1e3


class Componentwise(LinearOperator):
    """W u = (V_1 u_1, ..., V_c u_c): one cycle for a batch of (b c) scalar problems."""

    def __init__(self, cycle: Multigrid, domain: Domain, channels: int):
        super().__init__(Space(domain, channels), Space(domain, channels), cycle.tags)
        self.cycle = cycle

    def forward(self, u: Field) -> Field:
        return self.cycle(u.reshape(-1, 1, *u.shape[2:])).view_as(u)

    def adjoint(self) -> LinearOperator:
        return self

    def norm_bound(self) -> float | None:
        return self.cycle.norm_bound()


def diffusion_cycles(moduli: Float[Tensor, "..."], domain: Domain) -> Componentwise:
    """The V-cycles of -sum_k d/dx_k (C_ckck du_c/dx_k), the diagonal of the moduli (b, c, d, c, d, q, *grid).

    Spectrally equivalent to the whole: by Korn's inequality in elasticity, within the ratio of its eigenvalues for a
    diffusion tensor. In single precision while the contrast leaves digits for it.
    """
    d, channels = domain.dimension, moduli.shape[1]
    faces = []
    for axis in range(d):
        a = torch.stack([moduli[:, c, axis, c, axis].mean(1) for c in range(channels)], 1).flatten(0, 1)[:, None]
        faces.append(conductances(a, domain)[axis])
    A = FiniteVolume(tuple(faces), domain)
    single = bool(A.diagonal.amax() < SINGLE_PRECISION_CONTRAST * A.diagonal.amin())
    return Componentwise(geometric_multigrid(A.to_dtype(torch.float32) if single else A), domain, channels)
