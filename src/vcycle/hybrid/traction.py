"""A constant traction t on the high face of a rectangle's first axis, beside free faces: which stresses meet it.

sigma_01 has one value at a corner: t_1 says the traction, 0 the free face. The stresses on cells (symmetric_stress)
take 0 there, 3/2 t_1 at the vertex before and t_1 at the others, so that what is left of the traction, linear between
t_1 at the corner, -t_1 / 2 and 0, has no resultant. A second stress near the corner meets it without body forces: with
p, q the distances from the face and from the free face, in cells of h_0 x h_1,

    Phi = (1 - p / 2)^2 (1 + p) (Gamma(q) - Gamma(q - p)),    Gamma'' = 1, -1/2, 0 at q = 0, 1, 2, linear between,

Gamma and Gamma' being 0 for q <= 0, and Gamma' = 0 for q >= 2; Phi is 0 from p = 2 and q = p + 2 on. Airy's function
t_1 h_0 h_1 Phi has continuous slopes, so that sigma n of its stress is continuous; on p = 0 the shear is t_1 Gamma''.
"""

import functools
import math

import numpy as np
from jaxtyping import Float

from vcycle.hybrid.cell_quadrature import at_point
from vcycle.hybrid.symmetric_stress import SymmetricStress

Array = np.ndarray
CELLS = (2, 4)  # that Phi reaches along p and q
GAUSS = 5  # points per direction of a triangle: products are of degree 8 on it, 9 on the square that it comes from


def work(
    w: Float[Array, "b d *points"],
    force: Float[Array, "b d *cells"],
    traction: tuple[float, ...] | None,
    spacing: tuple[float, ...],
) -> Float[Array, " b"]:
    """(f, w), and the integral of t . w over the face; w multilinear between vertices, f constant on cells."""
    middle = (0.5,) * len(spacing)
    total = math.prod(spacing) * (force * at_point(w, middle)).reshape(len(w), -1).sum(1)
    if traction is None:
        return total
    face = at_point(w[:, :, -1], middle[1:]).reshape(*w.shape[:2], -1).sum(2)
    return total + math.prod(spacing[1:]) * face @ np.array(traction)


def held_values(space: SymmetricStress, traction: tuple[float, ...]) -> Float[Array, " dofs"]:
    """The values on the face of the stress on cells, zero elsewhere."""
    normal, shear, other = space.parts(np.zeros((1, len(space.free))))
    normal[0, -1] = traction[0]
    shear[0, -1] = traction[1]
    for end, condition in zip((0, -1), space.domain.boundary[1], strict=True):
        if condition == "neumann":
            corner, before = (0, 1) if end == 0 else (-1, -2)
            shear[0, -1, corner], shear[0, -1, before] = 0, 1.5 * traction[1]
    return np.concatenate([part.ravel() for part in (normal, shear, other)])


def size_at_corners(
    space: SymmetricStress, shear_traction: float, lame: Float[Array, "b *cells"], shear: Float[Array, "b *cells"]
) -> Float[Array, " b"]:
    """||C^(-1/2) tau||, tau the sum of the second stresses at the free corners; the triangle inequality adds them.

    Raises ValueError on less than 2 x 4 cells.
    """
    if any(n < cells for n, cells in zip(space.shape, CELLS, strict=True)):
        raise ValueError(f"tractions beside free faces need {CELLS} or more cells, got {space.shape}: refine the grid")
    total, (width, height) = np.zeros(len(shear)), space.spacing
    ratio = lame / (2 * shear + 2 * lame)
    (pp, pq, qq, trace), scale = _integrals(), height / width
    for end, condition in zip((0, -1), space.domain.boundary[1], strict=True):
        if condition == "neumann":
            near, k = (_corner(x, end) for x in (shear, ratio))
            square = scale**2 * pp + 2 * pq + qq / scale**2
            density = (square - k * (square - 2 * pq + 2 * trace)) / (2 * near)
            total += np.sqrt(width * height * density.sum((1, 2)))
    return abs(shear_traction) * total


def _corner(x: Float[Array, "b *cells"], end: int) -> Float[Array, "b p q"]:
    """The cells that Phi reaches, counted from the corner."""
    x = x[:, ::-1] if end == 0 else x[:, ::-1, ::-1]
    return x[:, : CELLS[0], : CELLS[1]]


def second_derivatives(p: Array, q: Array) -> tuple[Array, Array, Array]:
    """Phi_pp, Phi_pq and Phi_qq, for p in [0, 2] and q >= 0."""
    cut, slope, bend = (1 - p / 2) ** 2 * (1 + p), 0.75 * p * (p - 2), 1.5 * (p - 1)
    (value, first, second), (value_p, first_p, second_p) = _gamma(q), _gamma(q - p)
    return (
        bend * (value - value_p) + 2 * slope * first_p - cut * second_p,
        slope * (first - first_p) + cut * second_p,
        cut * (second - second_p),
    )


def _gamma(q: Array) -> tuple[Array, Array, Array]:
    """Gamma, Gamma' and Gamma''."""
    a, b = np.clip(q, 0, 1), np.clip(q - 1, 0, 1)
    second = np.where((q >= 0) & (q <= 2), 1 - 1.5 * a + 0.5 * b, 0.0)
    first = a - 0.75 * a**2 - 0.5 * b + 0.25 * b**2
    value = a**2 / 2 - a**3 / 4 + b / 4 - b**2 / 4 + b**3 / 12
    return value, first, second


@functools.cache
def _integrals() -> tuple[Array, Array, Array, Array]:
    """Of Phi_pp^2, Phi_pq^2, Phi_qq^2 and Phi_pp Phi_qq over the cells, (2, 4) each, exactly: on both sides of the
    diagonals q - p = 0, 1, 2 they are polynomials."""
    p, q, weight = quadrature()
    pp, pq, qq = second_derivatives(p, q)
    sums = [(weight * product).sum(-1) for product in (pp**2, pq**2, qq**2, pp * qq)]
    return sums[0], sums[1], sums[2], sums[3]


def quadrature() -> tuple[Array, Array, Array]:
    """p, q (2, 4, points) and weights (points,): Gauss points of the two halves of every cell, none on the diagonal."""
    x, w = np.polynomial.legendre.leggauss(GAUSS)
    x, w = (x + 1) / 2, w / 2
    far, along = (axis.ravel() for axis in np.meshgrid(x, x, indexing="ij"))  # a square onto the triangle along < far
    weight = (w * x)[:, None] * w
    i, j = np.arange(CELLS[0])[:, None, None], np.arange(CELLS[1])[None, :, None]
    p, q = np.concatenate([far, far * along]), np.concatenate([far * along, far])
    return i + p + 0 * j, j + q + 0 * i, np.tile(weight.ravel(), 2)
