"""Flows in exact equilibrium, div q + f = c p on every cell, from any flow and a fast transform."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.hybrid.flow import Flow, excess
from vcycle.solvers import solve_poisson
from vcycle.spaces import Basis, Domain, Grid, conductances, difference, per_sample

Field = Float[Tensor, "b 1 *grid"]
PerSample = Float[Tensor, " b"]

STEP = 100.0  # the ratio of one shift to the next
NEGLIGIBLE = 1e-2  # of the smallest eigenvalue: a reaction below it is left out


def equilibrate(flow: Flow, load: Field, domain: Domain, absorption: Field | None = None) -> Flow:
    """flow + grad phi with -Laplacian phi + s phi = load + div flow, so that the flow out of every cell is -load.

    Flows through faces, `load` is the source integrated over cells. Equilibrium does not involve the coefficient, so
    the Laplacian has constant coefficients and one transform in the basis that fits the boundary conditions solves it.
    Without a Dirichlet face and reaction the load must have mean zero.

    With a reaction the flow has a last entry, what cells lose to it, and `absorption` is c / a. The imbalance s phi is
    then given to it, all at once where c / a is constant (s = c / a). Else s falls by steps, and at each the cells with
    c / a >= s take what is theirs; the rest goes on with the next s, at last s = 0, so that nothing is left.
    Source: Prager and Synge 1947; the construction is the discrete form in docs/theory.md.
    """
    d, unit = domain.dimension, _unit_conductances(load, domain)
    rest, faces, taken = excess(flow, load, domain), flow[:d], load.new_zeros(())
    for shift in _shifts(absorption, load, domain):
        if absorption is not None and domain.floating:
            mean = rest.flatten(1).sum(1) / absorption.flatten(1).sum(1)
            share = torch.where(shift == 0, absorption * per_sample(mean, rest), 0.0)
            taken, rest = taken + share, rest - share
        phi = solve_poisson(rest, domain, shift)
        faces = tuple(torch.addcmul(t, k, s) for t, k, s in zip(faces, unit, difference(phi, domain), strict=True))
        if absorption is not None:
            rest = shift * phi
            share = torch.where((absorption >= shift * (1 - 1e-12)) & (absorption > 0), rest, 0.0)
            taken, rest = taken + share, rest - share
    return faces if absorption is None else (*faces, flow[d] + taken)


def _unit_conductances(load: Field, domain: Domain) -> Flow:
    """Conductances per volume where the coefficient is 1, the same along all other axes."""
    shape, out = tuple(load.shape[2:]), []
    for axis, (n, h, line) in enumerate(zip(shape, Grid(domain, shape).spacing, _lines(domain), strict=True)):
        (k,) = conductances(load.new_ones(n), line)
        out.append((k / h).view(-1, *[1] * (domain.dimension - 1 - axis)))
    return tuple(out)


def _lines(domain: Domain) -> list[Domain]:
    """The axes of a box, as domains of their own."""
    return [Domain((length,), [faces]) for length, faces in zip(domain.lengths, domain.boundary, strict=True)]


def _shifts(absorption: Field | None, load: Field, domain: Domain) -> list[Float[Tensor, "_ 1 *one"]]:
    """s per sample, falling: from the largest c / a down to the smallest, and 0 if some cell has (almost) none."""
    zero = load.new_zeros(load.shape[0], *[1] * (load.ndim - 1))
    if absorption is None:
        return [zero[:1]]
    least = NEGLIGIBLE * _smallest(domain, tuple(load.shape[2:]))
    known = absorption.detach().flatten(1)
    large = known >= least
    top = torch.where(large, known, 0.0).amax(1)
    low = torch.minimum(torch.where(large, known, math.inf).amin(1), top)
    ratio = torch.where(top > 0, low / torch.where(top > 0, top, 1.0), 1.0)
    count = max(1, math.ceil(-math.log(float(ratio.min())) / math.log(STEP) - 1e-9))
    falling = [per_sample(top * ratio ** (j / count), zero) for j in range(1, count + 1) if bool(top.any())]
    return falling if bool(large.all()) else [*falling, zero]


def dual_norm(r: Field, a: Field, c: Field | None, domain: Domain) -> PerSample:
    """An upper bound of sup (r, w) / |||w||| for r integrated over cells; with rounding errors r, what they add.

    ||r|| / sqrt(min a lambda), lambda the smallest eigenvalue of the discrete Laplacian, at most that of the Laplacian.
    Without a Dirichlet face a reaction holds the constants: w is split into its mean weighted with c and the rest.
    """
    shape = tuple(r.shape[2:])
    volume = math.prod(Grid(domain, shape).spacing)
    size = r.flatten(1).norm(dim=1) / (a.flatten(1).amin(1) * _smallest(domain, shape) * volume).sqrt()
    if c is None or not domain.floating:
        return size
    total, squares = c.flatten(1).sum(1), c.flatten(1).norm(dim=1)
    reacts = total > 0
    total = torch.where(reacts, total, 1.0)
    mean = r.flatten(1).sum(1).abs() / (volume * total).sqrt()
    return size + torch.where(reacts, size * math.sqrt(math.prod(shape)) * squares / total + mean, 0.0)


def _smallest(domain: Domain, shape: tuple[int, ...]) -> float:
    """The smallest positive eigenvalue of the discrete Laplacian, a sum of one per axis; infinite if there is none."""
    lines = zip(shape, Grid(domain, shape).spacing, _lines(domain), strict=True)
    axes = [Basis(line).laplacian((n,), (h,)) for n, h, line in lines]
    least = sum(float(values.min()) for values in axes)
    return least or min((float(v[v > 0].min()) for v in axes if bool((v > 0).any())), default=math.inf)
