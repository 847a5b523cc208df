"""The independent second solver of flow in a tube: arrays with their boundaries, a factorised matrix, SciPy's steps."""

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg
from scipy.integrate import solve_ivp

Array = np.ndarray


def tube_states(
    inlet: Array,
    viscosity: float,
    solid: Array,
    given: Array | None,
    spacing: tuple[float, float],
    times: Array,
    accuracy: float,
) -> Array:
    """(u, v, p) at the centres at the times, (3 times, n, m).

    solid  True in cells that nothing flows into
    given  the first velocity at the centres, (2, n, m), or None: the inlet's profile, led around solids by a potential
    """
    (n, m), (h, k) = solid.shape, spacing
    size = n * m
    free_u, free_v = np.ones((n + 1, m), bool), np.ones((n, m + 1), bool)
    for beside in (slice(0, n), slice(1, n + 1)):
        free_u[beside] &= ~solid
    for beside in (slice(0, m), slice(1, m + 1)):
        free_v[:, beside] &= ~solid
    # Differences from cells to faces: none through walls and the inlet, p = 0 half a cell beyond the last column.
    step = sp.diags_array([np.ones(n), -np.ones(n)], offsets=[0, -1], shape=(n + 1, n)).tolil()
    step[0, 0], step[n, n - 1] = 0.0, -2.0
    rise = sp.diags_array([np.ones(m), -np.ones(m)], offsets=[0, -1], shape=(m + 1, m)).tolil()
    rise[0, 0] = rise[m, m - 1] = 0.0
    d_x = sp.diags_array(free_u.ravel() / h) @ sp.kron(step, sp.eye_array(m))
    d_y = sp.diags_array(free_v.ravel() / k) @ sp.kron(sp.eye_array(n), rise)
    out_x = sp.kron(sp.diags_array([np.ones(n), -np.ones(n)], offsets=[1, 0], shape=(n, n + 1)), sp.eye_array(m)) / h
    out_y = sp.kron(sp.eye_array(n), sp.diags_array([np.ones(m), -np.ones(m)], offsets=[1, 0], shape=(m, m + 1))) / k
    factors = scipy.sparse.linalg.splu(sp.csc_array(out_x @ d_x + out_y @ d_y + sp.diags_array(solid.ravel() * 1.0)))

    def projected(a: Array, b: Array) -> tuple[Array, Array, Array]:
        a, b = a * free_u, b * free_v
        p = factors.solve((out_x @ a.ravel() + out_y @ b.ravel()) * ~solid.ravel())
        return a - (d_x @ p).reshape(a.shape), b - (d_y @ p).reshape(b.shape), p.reshape(n, m)

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
        padded, inside = np.pad(u, ((0, 0), (1, 1))), np.pad(free_u, ((0, 0), (1, 1)))
        beside = [np.where(inside[:, part], padded[:, part], -u) for part in (slice(2, None), slice(0, -2))]
        bent = (beside[0] - 2 * u + beside[1]) / k**2
        a[1:] += viscosity * bent[1:] - (flux[1:, 1:] - flux[1:, :-1]) / k
        wide, inside = np.concatenate([-v[:1], v, v[-1:]]), np.pad(free_v, ((1, 1), (0, 0)), constant_values=True)
        around = [np.where(inside[part], wide[part], -v) for part in (slice(2, None), slice(0, -2))]
        bend = (around[0] - 2 * v + around[1]) / h**2
        bend[:, 1:-1] += (v[:, 2:] - 2 * v[:, 1:-1] + v[:, :-2]) / k**2
        square = (v[:, 1:] + v[:, :-1]) ** 2 / 4
        b[:, 1:-1] = viscosity * bend[:, 1:-1] - (flux[1:, 1:-1] - flux[:-1, 1:-1]) / h
        b[:, 1:-1] -= (square[:, 1:] - square[:, :-1]) / k
        return projected(a, b)

    def change(t: float, y: Array) -> Array:
        del t  # the equations do not know it
        a, b, _ = rate(y)
        return np.concatenate([a[1:].ravel(), b[:, 1:-1].ravel()])

    tolerance = accuracy / 10
    first, second = np.tile(inlet, (n + 1, 1)), np.zeros((n, m + 1))
    if given is not None:
        for i in range(n):
            first[i + 1] = 2 * given[0, i] - first[i]
        for j in range(m - 1):
            second[:, j + 1] = 2 * given[1, :, j] - second[:, j]
    first, second, _ = projected(first, second)
    start = np.concatenate([first[1:].ravel(), second[:, 1:-1].ravel()])
    scale = float(np.abs(inlet).max())
    found = solve_ivp(change, (0.0, times[-1]), start, t_eval=times, rtol=tolerance, atol=tolerance * scale)
    if not found.success:
        return np.full((3 * len(times), n, m), np.nan)
    out = []
    for y in found.y.T:
        u, v = fields(y)
        out += [(u[1:] + u[:-1]) / 2, (v[:, 1:] + v[:, :-1]) / 2, rate(y)[2]]
    return np.stack(out)
