"""Guaranteed bounds in linear elasticity, by symmetric stresses in equilibrium: no constant of Korn is needed."""

import functools
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.hybrid.bound import SAFETY, relative_bound
from vcycle.hybrid.cell_quadrature import Point, between, gauss_points
from vcycle.hybrid.checks import claimed
from vcycle.hybrid.halved_cells import halved, repeated
from vcycle.hybrid.symmetric_stress import SymmetricStress
from vcycle.hybrid.traction import held_values, size_at_corners, work
from vcycle.spaces import Domain

Array = np.ndarray
Values = Float[Tensor, "..."]  # what callers hand in; its shape is checked with a sentence


@dataclass(frozen=True)
class ElasticityBound:
    """An upper bound of an elastic energy error, |||w|||^2 = integral of eps(w) : C eps(w).

    value    (b,) >= |||u - v|||
    least    (b,) <= |||u|||: the larger of (f, v) / |||v||| and |||v||| - value
    field    (b, d, *points) v itself: values at the vertices of cells halved along every axis, multilinear between
    """

    value: Float[Tensor, " b"]
    least: Float[Tensor, " b"]
    field: Float[Tensor, "b d *points"]

    @property
    def relative(self) -> Float[Tensor, " b"]:
        """(b,) >= |||u - v||| / |||u|||; infinite where v says nothing about the size of u."""
        return relative_bound(self.value, self.least)


def elasticity_bound(
    v: Values,
    lame: Values,
    shear: Values,
    force: Values,
    domain: Domain,
    traction: tuple[float, ...] | None = None,
) -> ElasticityBound:
    """|||u - v||| <= ||C^(-1/2) (sigma - C eps(v))|| for every symmetric sigma with div sigma + f = 0,

    -div(C eps(u)) = f, C eps = lambda tr(eps) I + 2 mu eps, u = 0 on Dirichlet faces, sigma n = 0 on Neumann faces.

    v            (b, d, *grid) at cell centres; the function is the finite element through them (operators.elements)
    lame, shear  lambda and mu on cells, (b, 1, *grid), mu > 0 and 2 mu + d lambda > 0
    force        f on cells, (b, d, *grid)
    traction     in two dimensions sigma n = t on the high face of the first axis, a Neumann face, instead of 0; where
                 it meets a free face, the size of a stress near the corner is added (hybrid.traction)

    sigma is the stress of v, averaged to the faces and edges of the halved cells and brought to equilibrium
    (hybrid.symmetric_stress): it holds for *any* v. Computed on the processor in double precision; the value includes
    what rounding and iterations left of the imbalance, and a relative 1e-10.
    Raises ValueError for periodic axes, no Dirichlet face, moduli out of range, shapes that do not fit, and a traction
    in three dimensions or on a Dirichlet face.
    Source: Prager and Synge 1947; docs/theory_beyond.md.
    """
    d, grid = domain.dimension, tuple(v.shape[2:])
    if d == 1 or v.ndim != d + 2 or v.shape[1] != d:
        raise ValueError(f"v must have shape (batch, {d}, *grid), two or three dimensions, got {tuple(v.shape)}")
    for name, field, channels in (("lame", lame, 1), ("shear", shear, 1), ("force", force, d)):
        if tuple(field.shape) != (len(v), channels, *grid):
            raise ValueError(f"{name} must have shape {(len(v), channels, *grid)}, got {tuple(field.shape)}")
    if not bool((shear > 0).all() & (2 * shear + d * lame > 0).all()):
        raise ValueError("the moduli must have mu > 0 and 2 mu + d lambda > 0 everywhere")
    if traction is not None and (d != 2 or domain.boundary[0][1] != "neumann"):
        raise ValueError(f"a traction acts on the high face of the first axis of a rectangle, neumann; got {domain}")
    space = _space(domain, tuple(2 * n for n in grid))
    field = halved(v.double(), domain)
    w = field.numpy(force=True)
    lam, mu, f = (repeated(x.double()).numpy(force=True) for x in (lame, shear, force))
    lam, mu = lam[:, 0], mu[:, 0]
    start = _averaged(space, w, lam, mu)
    flat = f.reshape(len(f), -1)
    held = None if traction is None else held_values(space, traction)
    stress = space.equilibrate(start, flat, held)
    rounding = space.correction(space.imbalance(stress, flat))
    value = np.sqrt(_misfit(space, stress, w, lam, mu)) + np.sqrt(_misfit(space, rounding, None, lam, mu))
    norm = np.sqrt(_misfit(space, None, w, lam, mu))
    if traction is not None:
        value = value + size_at_corners(space, traction[1], lam, mu)
    done = work(w, f, traction, space.spacing)
    least = np.maximum(norm - value * SAFETY, done / np.where(norm > 0, norm, 1.0))
    value, least = (torch.from_numpy(x).to(v.device) for x in (value * SAFETY, least))
    return ElasticityBound(*claimed(value, least), field)


def _averaged(space: SymmetricStress, w: Array, lame: Array, shear: Array) -> Array:
    """The stress of w in the middles of cells, averaged to the values of the space; the softer cell weighs more."""
    d = space.domain.dimension
    steps = [np.diff(w, axis=i - d) / h for i, h in enumerate(space.spacing)]
    middle = _stresses(steps, (0.5,) * d, lame, shear)
    parts = []
    for i, j in space.pairs:
        weight = 1 / (lame + 2 * shear) if i == j else 1 / shear
        total, size = weight * middle[i, j], weight
        for axis in {i, j}:
            total, size = (_around(x, axis - d) for x in (total, size))
        parts.append((total / size).reshape(len(w), -1))
    return np.concatenate(parts, 1)


def _around(x: Array, axis: int) -> Array:
    """The sum over the cells at both sides."""
    wide = [(0, 0)] * x.ndim
    wide[axis] = (1, 1)
    x = np.pad(x, wide)
    return np.take(x, range(1, x.shape[axis]), axis) + np.take(x, range(x.shape[axis] - 1), axis)


def _misfit(space: SymmetricStress, stress: Array | None, w: Array | None, lame: Array, shear: Array) -> Array:
    """The integral of (sigma - C eps(w)) : C^-1 (sigma - C eps(w)), exactly; what is None is 0.

    It is of degree 4 in every coordinate, of degree 2 without a stress.
    """
    d, total, ratio = space.domain.dimension, np.zeros_like(shear), lame / (2 * shear + space.domain.dimension * lame)
    sigma_at = None if stress is None else space.components(stress)
    steps = None if w is None else [np.diff(w, axis=i - d) / h for i, h in enumerate(space.spacing)]
    for point, weight in gauss_points(d, 2 if stress is None else 3):
        sigma = dict.fromkeys(space.pairs, 0.0) if sigma_at is None else sigma_at(point)
        if steps is not None:
            strained = _stresses(steps, point, lame, shear)
            sigma = {pair: sigma[pair] - strained[pair] for pair in space.pairs}
        square = sum((1 if i == j else 2) * part**2 for (i, j), part in sigma.items())
        trace = sum(sigma[i, i] for i in range(d))
        total += weight * (square - ratio * trace**2)
    return np.prod(space.spacing) * (total / (2 * shear)).reshape(len(total), -1).sum(1)


def _stresses(steps: list[Array], point: Point, lame: Array, shear: Array) -> dict[tuple[int, int], Array]:
    """C eps at a point of every cell, i <= j, from the differences of vertices along every axis over its spacing."""
    d, slopes = len(steps), []
    for i, slope in enumerate(steps):
        for k, x in enumerate(point):
            slope = slope if k == i else between(slope, k - d, x)
        slopes.append(slope)
    pressure = lame * sum(slopes[i][:, i] for i in range(d))
    out = {(i, j): shear * (slopes[j][:, i] + slopes[i][:, j]) for i in range(d) for j in range(i, d)}
    return {(i, j): part + pressure if i == j else part for (i, j), part in out.items()}


@functools.lru_cache(maxsize=4)  # they hold factorisations
def _space(domain: Domain, shape: tuple[int, ...]) -> SymmetricStress:
    return SymmetricStress(domain, shape)
