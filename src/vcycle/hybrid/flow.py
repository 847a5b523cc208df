"""Flows: what passes the faces and what a reaction takes from the cells, as one vector with an inner product.

A `Flow` is a face field (spaces.faces) with, if there is a reaction, a last entry: how much it takes from every cell.
The reaction is a way out of the cell like a face, to the value 0, with the conductance c |cell|.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators import FiniteVolume
from vcycle.spaces import Domain, difference, divergence

Field = Float[Tensor, "b 1 *grid"]
Flow = tuple[Float[Tensor, "..."], ...]


def conductances_of(A: FiniteVolume) -> Flow:
    """k of every face, and c |cell|."""
    return A.faces if A.reaction is None else (*A.faces, A.reaction)


def differences(u: Field, A: FiniteVolume) -> Flow:
    """What drives the flow: the difference across every face, and u itself."""
    return difference(u, A.domain) if A.reaction is None else (*difference(u, A.domain), u)


def flow_of(u: Field, A: FiniteVolume) -> Flow:
    """k difference(u) and c u |cell|."""
    return tuple(k * d for k, d in zip(conductances_of(A), differences(u, A), strict=True))


def misfit(q: Flow, v: Field, A: FiniteVolume) -> Flow:
    """q minus the flow of v."""
    zipped = zip(q, conductances_of(A), differences(v, A), strict=True)
    return tuple(torch.addcmul(t, k, d, value=-1) for t, k, d in zipped)


def excess(q: Flow, load: Field, domain: Domain) -> Field:
    """load + div q, less what the reaction takes, per cell: 0 in equilibrium."""
    rest = load + divergence(q[: domain.dimension], domain)
    return rest if len(q) == domain.dimension else rest - q[-1]


def squares(s: Flow, t: Flow, A: FiniteVolume) -> Flow:
    """s t / k on every open face and in every cell that reacts, 0 elsewhere."""
    terms = []
    for one, other, k in zip(s, t, conductances_of(A), strict=True):
        terms.append(one * other / torch.where(k > 0, k, torch.inf))
    return tuple(terms)


def product(s: Flow, t: Flow, A: FiniteVolume) -> Float[Tensor, " b"]:
    """The sum of s t / k, the inner product of flows that belongs to the energy."""
    return torch.stack([term.flatten(1).sum(1) for term in squares(s, t, A)]).sum(0)


def per_cell(terms: Flow, domain: Domain) -> Field:
    """Terms on faces shared by the two cells beside each, whole where there is only one; with those of the cells."""
    total = []
    for axis, t in enumerate(terms[: domain.dimension]):
        dim = axis - domain.dimension
        if domain.periodic(axis):
            total.append(t + t.roll(-1, dim))
            continue
        n = t.shape[dim] - 1
        both = t.narrow(dim, 0, n) + t.narrow(dim, 1, n)
        for cell, face in ((0, 0), (n - 1, n)):
            both.narrow(dim, cell, 1).add_(t.narrow(dim, face, 1))
        total.append(both)
    return sum(terms[domain.dimension :], sum(total[1:], total[0]) / 2)
