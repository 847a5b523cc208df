"""Interpolation that an operator prescribes, and the operator that it leaves on the coarse grid."""

from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.parity import Class, Parity, Shift, add_product

Stencil = dict[Shift, Float[Tensor, "b *grid"]]  # (A u)_i = sum over shifts s of K_s,i u_i+s; zero where i+s is outside
Table = dict[Class, dict[Shift, Tensor]]
CHUNK = 2**16  # points at a time, so that what belongs to them stays in the cache


def prescribed_coarsening(
    stencil: Stencil, parity: Parity
) -> tuple[Float[Tensor, "b terms *slots"], Float[Tensor, "b neighbours *coarse"]]:
    """The weights of P and the entries of P^T A P, where P is the interpolation that A prescribes.

    At a point between coarse ones along some axes, the stencil is summed over the other axes; what remains is an
    equation for its value and those of its neighbours along these axes, which come first. So the flux through the point
    is preserved, which is what makes the interpolation right where coefficients jump; between four coarse points, or
    eight in 3-D, the equation itself holds: there A P vanishes. Constants are interpolated exactly where the rows of A
    sum to zero. Weights are in the order of `parity.classes[1:]` and their `moves`, entries in that of {-1, 0, 1}^d.
    Sources: Alcouffe, Brandt, Dendy, Painter 1981; Dendy 1982.
    """
    batch, points = next(iter(stencil.values())).shape[0], next(iter(stencil.values()))[0].numel()
    size = max(1, CHUNK // points)
    chunks = [{shift: k[i : i + size] for shift, k in stencil.items()} for i in range(0, batch, size)]
    weights, entries = zip(*[_coarsened(chunk, parity) for chunk in chunks], strict=True)
    return torch.cat(weights), torch.cat(entries)


def _coarsened(stencil: Stencil, parity: Parity) -> tuple[Tensor, Tensor]:
    split = {shift: parity.split(k) for shift, k in stencil.items()}
    parts = {c: {shift: classes[c] for shift, classes in split.items()} for c in parity.classes}
    weights = _weights(parts, parity)
    listed = [weights[c][move] for c in parity.classes[1:] for move in parity.moves(c)]
    coarse = _galerkin(parts, weights, parity)
    kept, none = tuple(slice(0, m) for m in parity.coarse), torch.zeros_like(listed[0])
    shifts = product((-1, 0, 1), repeat=len(parity.shape))
    entries = [coarse.get(shift, none)[(..., *kept)] for shift in shifts]
    return torch.stack(listed, 1), torch.stack(entries, 1)


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
        weights[c] = {}
        for shift, k in collapsed.items():
            other, slots = parity.neighbour(c, shift)
            k = k * factor
            for move, weight in weights[other].items():
                add_product(weights[c], map(sum, zip(slots, move, strict=True)), k, parity.moved(weight, slots))
    return weights


def _galerkin(parts: Table, weights: Table, parity: Parity) -> dict[Shift, Tensor]:
    """P^T A P, class by class; the classes between coarse points along all axes add nothing."""
    d = len(parity.shape)
    coarse: dict[Shift, Tensor] = {}
    for c in parity.classes:
        if sum(c) == d:
            continue
        rows: dict[Shift, Tensor] = {}  # A P at the points of the class
        for shift, part in parts[c].items():
            other, slots = parity.neighbour(c, shift)
            for move, weight in weights[other].items():
                add_product(rows, map(sum, zip(slots, move, strict=True)), part, parity.moved(weight, slots))
        for move, weight in weights[c].items():
            back = tuple(-m for m in move)
            weight = parity.moved(weight, back)
            for column, row in rows.items():
                key = (i - m for i, m in zip(column, move, strict=True))
                add_product(coarse, key, weight, parity.moved(row, back))
    return coarse
