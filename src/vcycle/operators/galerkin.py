"""Interpolation that an operator prescribes, and the operator that it leaves on the coarse grid."""

from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.compact import Compact
from vcycle.operators.finite_volume import FiniteVolume
from vcycle.operators.parity import Class, Parity, Shift, add_product
from vcycle.spaces import at_once

Stencil = dict[Shift, Float[Tensor, "b *grid"]]  # (A u)_i = sum over shifts s of K_s,i u_i+s; zero where i+s is outside
Table = dict[Class, dict[Shift, Tensor]]
CHUNK = 2**16  # points at a time on the processor, so that what belongs to them stays in the cache


def prescribed_coarsening(
    A: FiniteVolume | Compact, parity: Parity, dtype: torch.dtype | None = None
) -> tuple[Float[Tensor, "b terms *slots"], Compact]:
    """The weights of P, in `dtype` if given, and P^T A P, where P is the interpolation that A prescribes.

    At a point between coarse ones along some axes, the stencil is summed over the other axes; what remains is an
    equation for its value and those of its neighbours along these axes, which come first. So the flux through the point
    is preserved, which is what makes the interpolation right where coefficients jump; between four coarse points, or
    eight in 3-D, the equation itself holds: there A P vanishes. Constants are interpolated exactly where the rows of A
    sum to zero. Weights are in the order of `parity.terms`.
    Sources: Alcouffe, Brandt, Dendy, Painter 1981; Dendy 1982.
    """
    batch, d, like = len(A.diagonal), len(parity.shape), A.diagonal
    shifts = list(product((-1, 0, 1), repeat=d))
    listed = torch.empty(batch, len(parity.terms), *parity.slots, dtype=dtype or like.dtype, device=like.device)
    entries = like.new_zeros(batch, len(shifts), *parity.coarse)
    kept = tuple(slice(0, m) for m in parity.coarse)
    size = max(1, at_once(CHUNK, like) // like[0].numel())
    for rows in (slice(i, i + size) for i in range(0, batch, size)):
        split = {shift: parity.split(k) for shift, k in A.stencil(rows).items()}
        parts = {c: {shift: classes[c] for shift, classes in split.items()} for c in parity.classes}
        weights = _weights(parts, parity)
        for index, (c, move) in enumerate(parity.terms):
            listed[rows, index] = weights[c][move]
        for shift, values in _galerkin(parts, weights, parity).items():
            entries[rows, shifts.index(shift)] = values[(..., *kept)]
    return listed, Compact(entries[:, None, None], parity.domain)


def _weights(parts: Table, parity: Parity) -> Table:
    """The value in slot j of a class is the sum over shifts of weight times coarse value j + shift."""
    d, own = len(parity.shape), parity.classes[0]
    weights: Table = {own: {(0,) * d: next(iter(parts[own].values())).new_ones(1)}}
    for c in parity.classes[1:]:
        collapsed: dict[Shift, Tensor] = {}
        for shift, part in parts[c].items():
            key = tuple(s * between for s, between in zip(shift, c, strict=True))
            collapsed[key] = collapsed[key] + part if key in collapsed else part
        centre = collapsed.pop((0,) * d)
        factor = -1 / torch.where(centre == 0, 1.0, centre)  # slots without a point have none
        weights[c] = _applied({shift: k * factor for shift, k in collapsed.items()}, c, weights, parity)
    return weights


def _galerkin(parts: Table, weights: Table, parity: Parity) -> dict[Shift, Tensor]:
    """P^T A P, class by class; the classes between coarse points along all axes add nothing."""
    d = len(parity.shape)
    coarse: dict[Shift, Tensor] = {}
    for c in parity.classes:
        if sum(c) == d:
            continue
        rows = _applied(parts[c], c, weights, parity)
        for move, weight in weights[c].items():
            back = tuple(-m for m in move)
            weight = parity.moved(weight, back)
            for column, row in rows.items():
                key = (i - m for i, m in zip(column, move, strict=True))
                add_product(coarse, key, weight, parity.moved(row, back))
    return coarse


def _applied(stencil: dict[Shift, Tensor], c: Class, weights: Table, parity: Parity) -> dict[Shift, Tensor]:
    """The rows of K P at the points of a class, by shifts in slots, for a stencil K given there."""
    rows: dict[Shift, Tensor] = {}
    for shift, k in stencil.items():
        other, slots = parity.neighbour(c, shift)
        for move, weight in weights[other].items():
            add_product(rows, map(sum, zip(slots, move, strict=True)), k, parity.moved(weight, slots))
    return rows
