"""Better fluxes for the bound: V-cycles, and the best combination of all fluxes on the way."""

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.hybrid.equilibration import equilibrate
from vcycle.operators import FiniteVolume, geometric_multigrid
from vcycle.spaces import FaceField, difference

Field = Float[Tensor, "b 1 *grid"]


def face_product(s: FaceField, t: FaceField, A: FiniteVolume) -> Float[Tensor, " b"]:
    """The sum over open faces of s t / k, the inner product of fluxes that belongs to the energy."""
    total = s[0].new_zeros(s[0].shape[0])
    for one, other, k in zip(s, t, A.faces, strict=True):
        open_face = k > 0
        total = total + (torch.where(open_face, one * other, 0.0) / torch.where(open_face, k, 1.0)).flatten(1).sum(1)
    return total


def misfit(q: FaceField, v: Field, A: FiniteVolume) -> FaceField:
    """q - k difference(v)."""
    return tuple(t - k * d for t, k, d in zip(q, A.faces, difference(v, A.domain), strict=True))


def equilibrated_flux(v: Field, A: FiniteVolume, load: Field, cycles: int) -> FaceField:
    """A flux in equilibrium with the load, close to that of the solution.

    Without cycles it is the equilibrated flux of v. Each V-cycle improves z, starting from v; its equilibrated flux
    gives one more direction, and the flux moves to the point of the affine hull with the least misfit to v. By
    Pythagoras that is also the point closest to the solution's flux: the bound never grows with the cycles.
    """
    q = equilibrate(A.flux(v), load, A.domain)
    if cycles == 0:
        return q
    cycle, z = geometric_multigrid(A), v
    rest = misfit(q, v, A)
    directions: list[tuple[FaceField, Field]] = []
    for _ in range(cycles):
        step = cycle(load - A(z))
        target = equilibrate(A.flux(z + step), load, A.domain)
        d = tuple(t - s for t, s in zip(target, q, strict=True))
        for other, move in directions:
            share = _share(d, other, A)
            d, step = _add(d, other, -share), step - _like(share, step) * move
        directions.append((d, step))
        share = -_share(rest, d, A)
        q, rest, z = _add(q, d, share), _add(rest, d, share), z + _like(share, z) * step
    return q


def _share(s: FaceField, d: FaceField, A: FiniteVolume) -> Float[Tensor, " b"]:
    """(s, d) / (d, d), 0 where d vanishes."""
    size = face_product(d, d, A)
    return face_product(s, d, A) / torch.where(size > 0, size, torch.inf)


def _add(s: FaceField, d: FaceField, factor: Float[Tensor, " b"]) -> FaceField:
    return tuple(one + _like(factor, other) * other for one, other in zip(s, d, strict=True))


def _like(factor: Float[Tensor, " b"], u: Tensor) -> Tensor:
    return factor.view(-1, *[1] * (u.ndim - 1))
