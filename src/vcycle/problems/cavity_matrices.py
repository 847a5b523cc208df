"""The independent second solver of cavity flow: arrays with their walls, one factorised matrix, steps by SciPy."""

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg
from scipy.integrate import solve_ivp

Array = np.ndarray


def cavity_states(
    lid: Array, viscosity: float, given: Array, spacing: tuple[float, float], times: Array, accuracy: float
) -> Array:
    """(u, v, p) at the centres at the times, (3 times, n, m); lid is U on the n - 1 inner faces.

    `given` is the first velocity at the centres, (2, n, m).
    """
    (n, m), (h, k) = given.shape[1:], spacing
    size = (n - 1) * m
    laplacian = sp.kron(_neumann(n, h), sp.eye_array(m)) + sp.kron(sp.eye_array(n), _neumann(m, k))
    pinned = sp.lil_array(laplacian)
    pinned[0, :] = 0
    pinned[0, 0] = 1
    factors = scipy.sparse.linalg.splu(sp.csc_array(pinned))

    def rate(y: Array) -> tuple[Array, Array, Array]:
        u, v = np.zeros((n + 1, m)), np.zeros((n, m + 1))
        u[1:-1], v[:, 1:-1] = y[:size].reshape(n - 1, m), y[size:].reshape(n, m - 1)
        roof = np.concatenate([[0.0], lid, [0.0]])
        high = np.concatenate([-u[:, :1], u, (2 * roof - u[:, -1])[:, None]], 1)
        wide = np.concatenate([-v[:1], v, -v[-1:]])
        corners = (high[:, 1:] + high[:, :-1]) / 2 * (wide[1:] + wide[:-1]) / 2
        u_c, v_c = (u[1:] + u[:-1]) / 2, (v[:, 1:] + v[:, :-1]) / 2
        bent = (u[2:] - 2 * u[1:-1] + u[:-2]) / h**2 + (high[1:-1, 2:] - 2 * u[1:-1] + high[1:-1, :-2]) / k**2
        across = (wide[2:, 1:-1] - 2 * v[:, 1:-1] + wide[:-2, 1:-1]) / h**2
        across = across + (v[:, 2:] - 2 * v[:, 1:-1] + v[:, :-2]) / k**2
        a, b = np.zeros_like(u), np.zeros_like(v)
        a[1:-1] = viscosity * bent - np.diff(u_c**2, axis=0) / h - np.diff(corners[1:-1], axis=1) / k
        b[:, 1:-1] = viscosity * across - np.diff(v_c**2, axis=1) / k - np.diff(corners[:, 1:-1], axis=0) / h
        load = (np.diff(a, axis=0) / h + np.diff(b, axis=1) / k).ravel()
        load[0] = 0.0
        p = factors.solve(load).reshape(n, m)
        a[1:-1] -= np.diff(p, axis=0) / h
        b[:, 1:-1] -= np.diff(p, axis=1) / k
        return a, b, p - p.mean()

    def change(t: float, y: Array) -> Array:
        del t  # the equations do not know it
        a, b, _ = rate(y)
        return np.concatenate([a[1:-1].ravel(), b[:, 1:-1].ravel()])

    first, second = np.zeros((n + 1, m)), np.zeros((n, m + 1))
    for i in range(1, n):
        first[i] = 2 * given[0, i - 1] - first[i - 1]
    for j in range(1, m):
        second[:, j] = 2 * given[1, :, j - 1] - second[:, j - 1]
    tolerance, start = accuracy / 10, np.concatenate([first[1:-1].ravel(), second[:, 1:-1].ravel()])
    scale = float(np.abs(lid).max())
    found = solve_ivp(change, (0.0, times[-1]), start, t_eval=times, rtol=tolerance, atol=tolerance * scale)
    if not found.success:
        return np.full((3 * len(times), n, m), np.nan)
    out = []
    for y in found.y.T:
        u, v = np.zeros((n + 1, m)), np.zeros((n, m + 1))
        u[1:-1], v[:, 1:-1] = y[:size].reshape(n - 1, m), y[size:].reshape(n, m - 1)
        out += [(u[1:] + u[:-1]) / 2, (v[:, 1:] + v[:, :-1]) / 2, rate(y)[2]]
    return np.stack(out)


def _neumann(n: int, h: float) -> sp.csr_array:
    main = np.full(n, -2.0)
    main[0] += 1
    main[-1] += 1
    return sp.csr_array(sp.diags_array([np.ones(n - 1), main, np.ones(n - 1)], offsets=[-1, 0, 1])) / h**2
