"""Guaranteed bounds on meshes: -div(A grad u) + c u = f on triangles and tetrahedra.

Needs the extra `meshes`; vcycle.hybrid does not import this module.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from vcycle.hybrid.mesh_flux import MeshEquilibrium, best_flux, tightened
from vcycle.hybrid.mesh_source import MeshSource
from vcycle.hybrid.simplices import Simplices

Array = Float[np.ndarray, "..."]
SAFETY = 1 + 1e-10


@dataclass(frozen=True)
class MeshBound:
    """An upper bound of an energy error on a mesh, |||w|||^2 = ||A^(1/2) grad w||^2 + ||c^(1/2) w||^2.

    value      (b,) >= |||u - v|||
    least      (b,) <= |||u|||
    elements   (b, m) the share of every simplex in value^2, up to rounding: where to refine
    """

    value: Float[np.ndarray, " b"]
    least: Float[np.ndarray, " b"]
    elements: Float[np.ndarray, "b m"]

    @property
    def relative(self) -> Float[np.ndarray, " b"]:
        """(b,) >= |||u - v||| / |||u|||; infinite where v says nothing about the size of u."""
        known = np.where(self.least > 0, self.least, 1.0)
        return np.where(self.value == 0, 0.0, np.where(self.least > 0, self.value / known, np.inf))


def mesh_bound(
    v: Array,
    equilibrium: MeshEquilibrium,
    coefficient: Array | float = 1.0,
    source: Array | MeshSource | float = 1.0,
    reaction: Array | float = 0.0,
    *,
    flux: Literal["equilibrated", "mixed"] = "equilibrated",
    tighten: int = 2,
) -> MeshBound:
    """|||u - v|||^2 <= sum over simplices of (||A^(-1/2) (q - A grad v)|| + k ||r - mean r||)^2 + |K| (mean r)^2 / c,

    r = f - c v + div q, k = h / (pi a^(1/2)) with the least eigenvalue a of A, for every flux q with mean r = 0 where
    c = 0. Where it is less, a simplex has ||A^(-1/2) (q - A grad v)||^2 + ||r||^2 / c instead.

    v            (b, n) at the points of the mesh; any numbers (a network's output, zero, noise) that agree with u on
                 the faces where it is given, u there being piecewise linear
    equilibrium  MeshEquilibrium(Simplices.of(mesh, ...)); it keeps what does not depend on the data
    coefficient  A > 0, constant on simplices: a number, (m,), (b, m), or symmetric tensors (b, m, d, d)
    source       f: a number, (m,), (b, m), or a MeshSource if it varies within simplices
    reaction     c >= 0: a number, (m,), or (b, m)
    flux         'equilibrated': A grad v projected onto equilibrium by one Laplacian whose factorisation is kept, and
                 improved by `tighten` steps of conjugate gradients with the same factorisation; 'mixed': the best flux
                 of the lowest Raviart-Thomas space by one factorisation per sample, also where c is large

    Computed in double precision; the value includes what rounding left of the imbalance, and a relative 1e-10.
    Raises ValueError for A or c out of range, shapes that do not fit, and meshes on which equilibrium may not exist.
    Sources: Prager and Synge 1947; Payne and Weinberger, Arch. Ration. Mech. Anal. 5, 1960, and Bebendorf, Z. Anal.
    Anwend. 22, 2003 (h / pi); docs/theory_beyond.md has the proof.
    """
    S = equilibrium.simplices
    v, A, c, f = _checked(v, S, coefficient, source, reaction)
    slope, mean, inverse = S.gradient(v), S.means(v), np.linalg.inv(A)
    target = np.einsum("bmik,bmk->bmi", A, slope)
    if flux == "mixed":
        g, s, off = best_flux(equilibrium, v, A, c, f.mean)
    else:
        load = f.mean - c * mean
        g = tightened(equilibrium, equilibrium.project(target, load), target, inverse, tighten)
        s, off = -load / S.dimension, np.zeros_like(load)
    rounding = equilibrium.correction(equilibrium.imbalance(g, -S.dimension * s))
    rest = g - target
    square = S.volumes * np.einsum("bmi,bmik,bmk->bm", rest, inverse, rest)
    square = square + s**2 * np.einsum("bmik,mik->bm", inverse, S.moments)
    varying = np.sqrt(S.spread(f.slope - c[:, :, None] * slope) ** 2 + f.rest**2)
    elements = _with_remainder(square, off, varying, A, c, S)
    unbalanced = np.einsum("m,bmi,bmik,bmk->b", S.volumes, rounding, inverse, rounding)
    value = (np.sqrt(elements.sum(1)) + np.sqrt(unbalanced)) * SAFETY
    norm = np.sqrt(
        (S.volumes * (np.einsum("bmi,bmi->bm", target, slope) + c * mean**2) + c * S.spread(slope) ** 2).sum(1)
    )
    work = (S.volumes * f.mean * mean + np.einsum("bmi,mik,bmk->bm", f.slope, S.moments, slope)).sum(1)
    homogeneous = (S.face_means(np.abs(v))[:, S.given] == 0).all(1)
    least = np.where(homogeneous & (norm > 0), work / np.where(norm > 0, norm, 1.0), -np.inf)
    return MeshBound(value, np.maximum(norm - value, least), elements)


def _with_remainder(square: Array, off: Array, varying: Array, A: Array, c: Array, S: Simplices) -> Array:
    """The shares of the simplices: the flux, the varying part of the remainder, and its mean `off`."""
    positive = np.where(c > 0, c, 1.0)
    poincare = S.diameters / (math.pi * np.sqrt(np.linalg.eigvalsh(A)[..., 0]))
    with_slope = (np.sqrt(square) + poincare * varying) ** 2
    with_reaction = np.where(c > 0, square + varying**2 / positive, np.inf)
    return np.minimum(with_slope, with_reaction) + np.where(c > 0, S.volumes * off**2 / positive, 0.0)


def _checked(
    v: Array, S: Simplices, coefficient: Array | float, source: Array | MeshSource | float, reaction: Array | float
) -> tuple[Array, Array, Array, MeshSource]:
    """All with a batch in front, or one sentence that says what does not fit."""
    v = np.asarray(v, float)
    if v.ndim != 2 or v.shape[1] != len(S.points):
        raise ValueError(f"v must have shape (batch, {len(S.points)}), a number per point, got {v.shape}")
    b, m, d = len(v), len(S.nodes), S.dimension
    A = np.asarray(coefficient, float)
    if A.ndim < 3:
        A = _on_simplices(A, b, m, "coefficient")[:, :, None, None] * np.eye(d)
    if A.shape[1:] != (m, d, d) or A.shape[0] not in (1, b):
        raise ValueError(
            f"the coefficient must have shape (batch, {m}, {d}, {d}) or a number per simplex, got {A.shape}"
        )
    least = np.linalg.eigvalsh(A).min()
    if not least > 0 or not np.array_equal(A, A.swapaxes(2, 3)):
        raise ValueError(f"the coefficient must be symmetric and positive, got a least eigenvalue of {least:g}")
    c = _on_simplices(np.asarray(reaction, float), b, m, "reaction")
    if not (c >= 0).all():
        raise ValueError(f"the reaction must not be negative, got a minimum of {c.min():g}: no bound is known then")
    if isinstance(source, MeshSource):
        mean, f_slope, rest = source.mean, source.slope, source.rest
    else:
        mean, f_slope, rest = np.asarray(source, float), np.zeros((1, m, d)), np.zeros((1, m))
    f = MeshSource(
        _on_simplices(mean, b, m, "source"), np.broadcast_to(f_slope, (b, m, d)), _on_simplices(rest, b, m, "rest")
    )
    return v, np.broadcast_to(A, (b, m, d, d)), c, f


def _on_simplices(x: Array, b: int, m: int, name: str) -> Array:
    if x.shape not in ((), (m,), (1, m), (b, m)):
        raise ValueError(f"the {name} must be a number or have shape ({m},) or ({b}, {m}), got {x.shape}")
    return np.broadcast_to(x, (b, m)).astype(float)
