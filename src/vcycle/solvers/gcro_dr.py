"""GCRO-DR: restarted Krylov iteration that hands a subspace on, from cycle to cycle and from system to system."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import scipy.linalg
from jaxtyping import Num

Product: TypeAlias = Callable[[Num[np.ndarray, " n"]], Num[np.ndarray, " n"]]
Vector: TypeAlias = Num[np.ndarray, " n"]
Basis: TypeAlias = Num[np.ndarray, "n _"]
BREAKDOWN = 1e-14
CHECKED = 5  # steps between two looks at the residual inside a cycle


@dataclass(frozen=True)
class Recycled:
    """The solution of one system, and what the next one starts with.

    value      (n,)
    residual   ||b - A u|| / ||b||, computed anew from the value
    products   products with A that it took
    converged  whether the tolerance is met
    space      (n, k) an approximately invariant subspace of A M^-1 that belongs to its smallest eigenvalues
    """

    value: Vector
    residual: float
    products: int
    converged: bool
    space: Basis


@dataclass(frozen=True)
class _Space:
    """U and C with A M^-1 U = C and orthonormal C: residuals need not be searched in the span of C."""

    U: Basis
    C: Basis

    @classmethod
    def of(cls, A: Product, Y: Basis) -> "_Space":
        images = np.stack([A(column) for column in Y.T], 1) if Y.shape[1] else Y
        C, R = scipy.linalg.qr(images, mode="economic")
        return cls(scipy.linalg.solve_triangular(R, Y.T, trans="T").T if Y.shape[1] else Y, C)


def gcro_dr(
    A: Product,
    b: Vector,
    *,
    space: Basis | None = None,
    M: Product | None = None,
    restart: int = 40,
    recycled: int = 20,
    tolerance: float = 1e-8,
    most: int = 10_000,
) -> Recycled:
    """u with A u = b, for any regular A, real or complex, symmetric or not.

    A cycle extends the k = `recycled` directions U it is given, A M^-1 U = C orthonormal, by `restart` - k steps of
    Arnoldi's method with (I - C C*) A M^-1, takes the combination of least residual, and hands on the k harmonic Ritz
    vectors of smallest value. `space` is what an earlier, similar system handed on (`Recycled.space`); without one the
    first cycle is one of GMRES(`restart`), and with recycled=0 all of them are.

    A, M        products with A, and with the inverse of a preconditioner; from the right, so that residuals are true
    most        products with A after which it stops; `Recycled.converged` says how it ended

    Sources: Parks et al., "Recycling Krylov subspaces for sequences of linear systems" (2006); P115.
    """
    if not 0 <= recycled < restart:
        raise ValueError(f"a cycle of {restart} steps hands on fewer directions than that, got recycled={recycled}")
    solve = (lambda v: v) if M is None else M
    counted = _Counted(lambda v: A(solve(v)))
    size, t, r = float(np.linalg.norm(b)), np.zeros_like(b), b.copy()
    at = _Space.of(counted, b[:, None][:, :0] if space is None else space[:, :recycled])
    if size == 0:
        return Recycled(t, 0.0, counted.products, True, at.U)
    step = at.C.conj().T @ r
    t, r = t + at.U @ step, r - at.C @ step
    while np.linalg.norm(r) > tolerance * size and counted.products < most:
        before = np.linalg.norm(r)
        t, r, at = _cycle(counted, t, r, at, restart, recycled, tolerance * size)
        if not np.linalg.norm(r) < before:
            break  # stagnation: more cycles would repeat this one
    u = solve(t)
    residual = float(np.linalg.norm(b - A(u))) / size
    return Recycled(u, residual, counted.products + 1, residual <= 2 * tolerance, at.U)


def _cycle(
    A: Product, t: Vector, r: Vector, at: _Space, restart: int, recycled: int, target: float
) -> tuple[Vector, Vector, _Space]:
    """One cycle: the new iterate, its residual, and the space for the next."""
    U, C = at.U / np.linalg.norm(at.U, axis=0), at.C
    k = C.shape[1]
    V, B, H = _arnoldi(A, r, C, restart - k, target)
    steps = H.shape[1]
    scale = np.diag(1 / np.linalg.norm(at.U, axis=0))
    G = np.block([[scale, B], [np.zeros((H.shape[0], k)), H]])  # A M^-1 [U, V] = [C, V, v] G
    W, directions = np.hstack([C, V]), np.hstack([U, V[:, :steps]])
    y = scipy.linalg.lstsq(G, W.conj().T @ r)[0]
    t, r = t + directions @ y, r - W @ (G @ y)
    if recycled == 0:
        return t, r, at
    inner = np.zeros((W.shape[1], k + steps), dtype=G.dtype)
    inner[:, :k], inner[k : k + steps, k:] = W.conj().T @ U, np.eye(steps)
    P = _harmonic_ritz(G, inner, recycled)
    Q, R = scipy.linalg.qr(G @ P, mode="economic")
    return t, r, _Space(scipy.linalg.solve_triangular(R, (directions @ P).T, trans="T").T, W @ Q)


def _arnoldi(A: Product, r: Vector, C: Basis, steps: int, target: float) -> tuple[Basis, Any, Any]:
    """V with A M^-1 V_s = C B + V_{s+1} H; fewer steps where the Krylov space is exhausted or the target met."""
    size = float(np.linalg.norm(r))
    V = [r / size]
    B, H = np.zeros((C.shape[1], steps), dtype=r.dtype), np.zeros((steps + 1, steps), dtype=r.dtype)
    for j in range(steps):
        w = A(V[j])
        length = np.linalg.norm(w)
        B[:, j] = C.conj().T @ w
        w = w - C @ B[:, j]
        basis = np.stack(V, 1)
        for _ in range(2):  # once more: round-off
            h = basis.conj().T @ w
            w, H[: j + 1, j] = w - basis @ h, H[: j + 1, j] + h
        H[j + 1, j] = np.linalg.norm(w)
        if abs(H[j + 1, j]) <= BREAKDOWN * length:
            return np.stack([*V, np.zeros_like(r)], 1), B[:, : j + 1], H[: j + 2, : j + 1]
        V.append(w / H[j + 1, j])
        if (j + 1) % CHECKED == 0 and _least(H[: j + 2, : j + 1], size) <= target:
            break
    s = len(V) - 1
    return np.stack(V, 1), B[:, :s], H[: s + 1, :s]


def _least(H: Any, size: float) -> float:
    """The least norm of size e_1 - H y."""
    e = np.zeros(H.shape[0], dtype=H.dtype)
    e[0] = size
    return float(np.linalg.norm(e - H @ scipy.linalg.lstsq(H, e)[0]))


def _harmonic_ritz(G: Any, inner: Any, count: int) -> Any:
    """Coefficients of the harmonic Ritz vectors of smallest value, at most `count`: G* G z = theta G* W* V z."""
    theta, Z = scipy.linalg.eig(G.conj().T @ G, G.conj().T @ inner)
    order = np.argsort(np.where(np.isfinite(theta), np.abs(theta), np.inf), kind="stable")[:count]
    if np.iscomplexobj(G):
        return Z[:, order]
    # Real arithmetic: a pair of conjugates is kept as its real and imaginary part, or not at all.
    columns: list[Any] = []
    for i in order:
        new = [Z[:, i].real] if theta[i].imag == 0 else [Z[:, i].real, Z[:, i].imag] if theta[i].imag > 0 else []
        columns += new if len(columns) + len(new) <= count else []
    return np.stack(columns, 1)


class _Counted:
    """A product, and how often it was asked for."""

    def __init__(self, product: Product):
        self.product, self.products = product, 0

    def __call__(self, v: Vector) -> Vector:
        self.products += 1
        return self.product(v)
