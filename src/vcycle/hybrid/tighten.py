"""Better fluxes for the bound: V-cycles, and the best combination of all fluxes on the way."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.hybrid.equilibration import equilibrate
from vcycle.hybrid.flow import Flow, flow_of, misfit, product
from vcycle.operators import FiniteVolume, Multigrid
from vcycle.spaces import per_sample

Field = Float[Tensor, "b 1 *grid"]
NEGLIGIBLE = 1e-3  # of the misfit


def equilibrated_flux(
    v: Field, A: FiniteVolume, load: Field, cycles: Sequence[Multigrid], absorption: Field | None = None
) -> Flow:
    """A flux in equilibrium with the load, close to that of the solution; `absorption` as in `equilibrate`.

    Without cycles it is the equilibrated flux of v. Each V-cycle improves z, starting from v; its equilibrated flux
    gives one more direction, and the flux moves to the point of the affine hull with the least misfit to v. By
    Pythagoras that is also the point closest to the solution's flux: the bound never grows with the cycles. The
    cycles may be different ones: what one is slow at, another may not be (operators.classical_cycles).
    """
    q = equilibrate(flow_of(v, A), load, A.domain, absorption)
    if not cycles:
        return q
    z = v
    rest = misfit(q, v, A)
    directions: list[tuple[Flow, Field]] = []
    for cycle in cycles:
        step = cycle(load - A(z))
        target = equilibrate(flow_of(z + step, A), load, A.domain, absorption)
        d = tuple(t - s for t, s in zip(target, q, strict=True))
        for other, move in directions:
            share = _share(d, other, A)
            d, step = _add(d, other, -share), step - per_sample(share, step) * move
        # A direction this short gains nothing, and rounding may have brought it out of equilibrium.
        counts = product(d, d, A) > NEGLIGIBLE**2 * product(rest, rest, A)
        d, step = _add(d, d, counts.to(z) - 1), step * per_sample(counts.to(step), step)
        directions.append((d, step))
        share = -_share(rest, d, A)
        q, rest, z = _add(q, d, share), _add(rest, d, share), z + per_sample(share, z) * step
    return q


def _share(s: Flow, d: Flow, A: FiniteVolume) -> Float[Tensor, " b"]:
    """(s, d) / (d, d), 0 where d vanishes."""
    size = product(d, d, A)
    return product(s, d, A) / torch.where(size > 0, size, torch.inf)


def _add(s: Flow, d: Flow, factor: Float[Tensor, " b"]) -> Flow:
    return tuple(one + per_sample(factor, other) * other for one, other in zip(s, d, strict=True))
