"""The stiffness of multilinear elements on cell centres as 3^d-point stencils: (C grad u, grad v) for a batch."""

from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.elements import corner_slope, ghost_weights, subcell_volume, subcells
from vcycle.spaces import Domain, Grid, at_once

Moduli = Float[Tensor, "..."]  # (b, c, d, c, d, 2^d or 1, *grid)
Stencils = Float[Tensor, "..."]  # (b, c, c, 3^d, *grid)
Place = tuple[int, ...]  # a node relative to its cell, -1, 0 or 1 per axis
PRODUCTS = 2**18  # numbers at a time on the processor, so that they stay in the cache


def stiffness(moduli: Moduli, domain: Domain) -> Stencils:
    """k with (C grad u, grad v) = sum of v_ci k_ces,i u_e,i+s; C symmetric, ghosts expressed by the cells."""
    k = _with_ghosts(moduli, domain)
    for axis in range(domain.dimension):
        k = _without_ghosts(k, axis, domain)
    return k.contiguous()


def _with_ghosts(moduli: Moduli, domain: Domain) -> Stencils:
    """The stencils on cells and ghosts, before the ghosts are expressed by the cells: (b, c, c, 3^d, *grid + 2)."""
    d, shape = domain.dimension, tuple(moduli.shape[6:])
    batch, channels = moduli.shape[:2]
    k = moduli.new_zeros(batch, channels, channels, 3**d, *(n + 2 for n in shape))
    # Moduli that are the same in all subcells of a cell need one sum over these.
    groups = [[sides] for sides in subcells(d)] if moduli.shape[5] > 1 else [list(subcells(d))]
    for number, group in enumerate(groups):
        places, weights = _pairs(group, domain, shape)
        C = moduli[:, :, :, :, :, number].movedim((2, 4), (1, 2))  # (b, d, d, c, c, *grid)
        samples = max(1, at_once(PRODUCTS, C) // (len(places) * C[0, 0, 0].numel()))
        for part, target in zip(C.split(samples), k.split(samples), strict=True):
            entries = (weights.to(part) @ part.flatten(1, 2).flatten(2)).unflatten(2, part.shape[3:])
            for (row, column), entry in zip(places, entries.unbind(1), strict=True):
                window = target[:, :, :, _index(row, column)]
                for axis, n in enumerate(shape):
                    window = window.narrow(axis - d, 1 + row[axis], n)
                window += entry
    return _symmetric(k, d)


def _pairs(
    group: list[Place], domain: Domain, shape: tuple[int, ...]
) -> tuple[list[tuple[Place, Place]], Float[Tensor, "pairs dd"]]:
    """Which nodes the subcells of a group couple, and the products of their slopes; one of (i, j) and (j, i)."""
    d, volume, spacing = domain.dimension, subcell_volume(domain, shape), Grid(domain, shape).spacing
    sums: dict[tuple[Place, Place], Tensor] = {}
    for sides in group:
        nodes = []
        for corner in product((0, 1), repeat=d):
            slopes = torch.tensor([corner_slope(corner, j, sides, spacing) for j in range(d)], dtype=torch.float64)
            nodes.append((tuple(s * c for s, c in zip(sides, corner, strict=True)), slopes))
        for (row, left), (column, right) in product(nodes, repeat=2):
            if _index(row, column) >= 3**d // 2:
                entry = volume * torch.outer(left, right).flatten()
                sums[row, column] = sums.get((row, column), torch.zeros_like(entry)) + entry
    return list(sums), torch.stack(list(sums.values()))


def _index(row: Place, column: Place) -> int:
    """The number of the shift from one node to another."""
    number = 0
    for p, q in zip(row, column, strict=True):
        number = 3 * number + q - p + 1
    return number


def _symmetric(k: Stencils, d: int) -> Stencils:
    """k_{-s} at the neighbour is the transpose of k_s here: fills the shifts before the middle."""
    last = 3**d - 1
    for index, shift in enumerate(product((-1, 0, 1), repeat=d)):
        if index > last // 2:
            here, there = k[:, :, :, index], k[:, :, :, last - index]
            for axis, s in enumerate(shift):
                n = here.shape[axis - d] - abs(s)
                here = here.narrow(axis - d, max(-s, 0), n)
                there = there.narrow(axis - d, max(s, 0), n)
            there += here.transpose(1, 2)
    return k


def _without_ghosts(k: Stencils, axis: int, domain: Domain) -> Stencils:
    """Rows and columns of the two ghosts of an axis added to those of the cells that they are combinations of."""
    d = domain.dimension
    dim = axis - d
    k = k.unflatten(3, (3,) * d).movedim((axis + 3, dim), (0, 1))  # (shift, position, ...), a view
    n = k.shape[1] - 2
    if domain.periodic(axis):
        k[:, n] += k[:, 0]
        k[:, 1] += k[:, n + 1]
    else:
        low, high = (ghost_weights(condition) for condition in domain.boundary[axis])
        _fold(k, low, ghost=0, inward=1)
        _fold(k, high, ghost=n + 1, inward=-1)
    return k[:, 1:-1].movedim((0, 1), (axis + 3, dim)).flatten(3, d + 2)


def _fold(k: Tensor, weights: tuple[float, float], ghost: int, inward: int) -> None:
    near, far = weights
    first, second = ghost + inward, ghost + 2 * inward
    out, stay, into = 1 - inward, 1, 1 + inward  # the shifts away from the cells, none, and towards them
    across, own = k[out, first].clone(), k[stay, ghost].clone()
    row = near * own + k[into, ghost]  # the ghost's row on the first cell
    k[stay, first] += near * across + near * row
    k[into, first] += far * across + near * far * own
    k[out, second] += far * row
    k[stay, second] += far * far * own
    k[out, first] = 0
