"""Fluxes in exact equilibrium: div q + f = 0 on every cell, from any flux and one fast transform."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import Basis, Domain, FaceField, Grid, conductances, difference, divergence

Field = Float[Tensor, "b 1 *grid"]


def equilibrate(flux: FaceField, load: Field, domain: Domain) -> FaceField:
    """flux + grad phi with -Laplacian phi = load + div flux, so that the flow out of every cell is -load.

    Fluxes are flows through faces, `load` is the source integrated over cells. Equilibrium does not involve the
    coefficient, so the Laplacian has constant coefficients and one transform in the basis that fits the boundary
    conditions solves it. Without a Dirichlet face the load must have mean zero.
    Source: Prager and Synge 1947; the construction is the discrete form in docs/theory.md.
    """
    shape = tuple(load.shape[2:])
    grid, basis = Grid(domain, shape), Basis(domain)
    eigenvalues = basis.laplacian(basis.counts(shape), grid.spacing).to(load) * math.prod(grid.spacing)
    inverse = torch.where(eigenvalues > 0, 1 / eigenvalues, 0.0)
    phi = basis.synthesise(basis.analyse(load + divergence(flux, domain)) * inverse, shape)
    unit = conductances(torch.ones_like(load[:1]), domain)
    return tuple(t + k * d for t, k, d in zip(flux, unit, difference(phi, domain), strict=True))


def imbalance(flux: FaceField, load: Field, domain: Domain) -> Float[Tensor, " b"]:
    """||load + div flux|| in the norm dual to the energy norm of the Laplacian, bounded from above.

    Zero up to rounding after `equilibrate`; divided by sqrt(min a) it bounds what the rounding can add to an error.
    The smallest eigenvalue of the discrete Laplacian turns the Euclidean norm into the dual one.
    """
    shape = tuple(load.shape[2:])
    grid, basis = Grid(domain, shape), Basis(domain)
    eigenvalues = basis.laplacian(basis.counts(shape), grid.spacing) * math.prod(grid.spacing)
    positive = eigenvalues[eigenvalues > 1e-9 * eigenvalues.max()]
    smallest = float(positive.min()) if len(positive) else math.inf
    return (load + divergence(flux, domain)).flatten(1).norm(dim=1) / math.sqrt(smallest)
