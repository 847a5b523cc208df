"""The independent second solver of tube flow: arrays with their boundaries, one factorised matrix, steps by SciPy."""

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg
from scipy.integrate import solve_ivp

Array = np.ndarray


def tube_states(
    inlet: Array, viscosity: float, shape: tuple[int, int], spacing: tuple[float, float], times: Array, accuracy: float
) -> Array:
    """(u, v, p) at the centres at the times, (3 times, *shape), from the inlet's profile all along the tube."""
    (n, m), (h, k) = shape, spacing
    size = n * m
    main = np.full(n, -2.0)
    main[0], main[-1] = -1.0, -3.0
    across = sp.diags_array([np.ones(n - 1), main, np.ones(n - 1)], offsets=[-1, 0, 1]) / h**2
    side = np.full(m, -2.0)
    side[[0, -1]] = -1.0
    up = sp.diags_array([np.ones(m - 1), side, np.ones(m - 1)], offsets=[-1, 0, 1]) / k**2
    laplacian = sp.kron(across, sp.eye_array(m)) + sp.kron(sp.eye_array(n), up)
    factors = scipy.sparse.linalg.splu(sp.csc_array(laplacian))

    def fields(y: Array) -> tuple[Array, Array]:
        u, v = np.empty((n + 1, m)), np.zeros((n, m + 1))
        u[0], u[1:], v[:, 1:-1] = inlet, y[:size].reshape(n, m), y[size:].reshape(n, m - 1)
        return u, v

    def rate(y: Array) -> tuple[Array, Array, Array]:
        u, v = fields(y)
        a, b = np.zeros_like(u), np.zeros_like(v)
        # Momentum through the middles of cells along x, and through corners.
        middle = viscosity * (u[1:] - u[:-1]) / h - (u[1:] + u[:-1]) ** 2 / 4
        a[1:-1] = (middle[1:] - middle[:-1]) / h
        a[-1] = (-(u[-1] ** 2) - middle[-1]) * 2 / h
        flux = np.zeros((n + 1, m + 1))
        flux[1:-1, 1:-1] = (u[1:-1, 1:] + u[1:-1, :-1]) * (v[1:, 1:-1] + v[:-1, 1:-1]) / 4
        flux[-1, 1:-1] = (u[-1, 1:] + u[-1, :-1]) * v[-1, 1:-1] / 2
        padded = np.pad(u, ((0, 0), (1, 1)))
        padded[:, 0], padded[:, -1] = -u[:, 0], -u[:, -1]
        bent = (padded[:, 2:] - 2 * u + padded[:, :-2]) / k**2
        a[1:] += viscosity * bent[1:] - (flux[1:, 1:] - flux[1:, :-1]) / k
        wide = np.concatenate([-v[:1], v, v[-1:]])
        bend = (wide[2:] - 2 * v + wide[:-2]) / h**2
        bend[:, 1:-1] += (v[:, 2:] - 2 * v[:, 1:-1] + v[:, :-2]) / k**2
        square = (v[:, 1:] + v[:, :-1]) ** 2 / 4
        b[:, 1:-1] = viscosity * bend[:, 1:-1] - (flux[1:, 1:-1] - flux[:-1, 1:-1]) / h
        b[:, 1:-1] -= (square[:, 1:] - square[:, :-1]) / k
        p = factors.solve(((a[1:] - a[:-1]) / h + (b[:, 1:] - b[:, :-1]) / k).ravel()).reshape(n, m)
        a[1:-1] -= (p[1:] - p[:-1]) / h
        a[-1] += 2 * p[-1] / h
        b[:, 1:-1] -= (p[:, 1:] - p[:, :-1]) / k
        return a, b, p

    def change(t: float, y: Array) -> Array:
        del t  # the equations do not know it
        a, b, _ = rate(y)
        return np.concatenate([a[1:].ravel(), b[:, 1:-1].ravel()])

    tolerance = accuracy / 10
    start = np.concatenate([np.tile(inlet, n), np.zeros(n * (m - 1))])
    scale = float(np.abs(inlet).max())
    found = solve_ivp(change, (0.0, times[-1]), start, t_eval=times, rtol=tolerance, atol=tolerance * scale)
    if not found.success:
        return np.full((3 * len(times), n, m), np.nan)
    out = []
    for y in found.y.T:
        u, v = fields(y)
        out += [(u[1:] + u[:-1]) / 2, (v[:, 1:] + v[:, :-1]) / 2, rate(y)[2]]
    return np.stack(out)
