"""The independent second solver of sound in a room: the same equations as sparse matrices, without velocities.

p(t + dt) - 2 p(t) + p(t - dt) = c^2 dt (dt L p + w + s(t + dt/2) - s(t - dt/2)), with the flow w out of lossy walls as
the only unknown besides. NumPy and SciPy only.
"""

import functools
import math
from collections.abc import Callable

import numpy as np
import scipy.sparse as sp

Array = np.ndarray
Faces = tuple[str, str]


def hear(
    source: Callable[[float], Array],
    shape: tuple[int, ...],
    lengths: tuple[float, ...],
    boundary: tuple[Faces, ...],
    speed: float,
    impedance: float,
    dt: float,
    steps: int,
    snapshots: int,
) -> Array:
    """p after `steps`, 2 `steps`, ... steps, (snapshots, *shape), from silence; s is flat."""
    parts = [
        _second_difference(n, length / n, faces) for n, length, faces in zip(shape, lengths, boundary, strict=True)
    ]
    terms = [_kron(shape, {axis: part}) for axis, part in enumerate(parts)]
    laplacian = functools.reduce(lambda a, b: sp.csr_array(a + b), terms)
    walls = _lossy_faces(shape, lengths, boundary, impedance)
    p = before = np.zeros(math.prod(shape))
    outflow = np.zeros(walls.shape[1])
    # A column holds 1 / h of its face; walls of infinite impedance have none.
    loss = np.array([impedance * speed * dt * per_h for per_h in walls.sum(0)])
    heard, s_before = [], np.zeros_like(p)
    for n in range(steps * snapshots):
        s = source((n + 0.5) * dt)
        change = dt * (laplacian @ p)
        faster = ((1 - loss) * outflow + 2 * dt * (walls.T @ p)) / (1 + loss)
        change, outflow = change - walls @ (faster - outflow), faster
        p, before = 2 * p - before + speed**2 * dt * (change + s - s_before), p
        s_before = s
        if (n + 1) % steps == 0:
            heard.append(p.reshape(shape))
    return np.stack(heard)


def _second_difference(n: int, h: float, faces: Faces) -> sp.csr_array:
    """The second derivative in n cells: periodic, 0 on Dirichlet faces, without what flows through Neumann faces."""
    main = np.full(n, -2.0)
    rows = sp.lil_array(sp.diags_array([np.ones(n - 1), main, np.ones(n - 1)], offsets=[-1, 0, 1]))
    if faces[0] == "periodic":
        rows[0, n - 1] += 1
        rows[n - 1, 0] += 1
    else:
        for end, face in zip((0, n - 1), faces, strict=True):
            rows[end, end] += -1 if face == "dirichlet" else 1
    return sp.csr_array(rows) / h**2


def _lossy_faces(
    shape: tuple[int, ...], lengths: tuple[float, ...], boundary: tuple[Faces, ...], impedance: float
) -> sp.csr_array:
    """A column per face of a Neumann wall with finite impedance: 1 / h in the cell that it belongs to."""
    columns = [sp.csr_array((math.prod(shape), 0))]
    for axis, (n, length, faces) in enumerate(zip(shape, lengths, boundary, strict=True)):
        for end, face in zip((0, n - 1), faces, strict=True):
            if face == "neumann" and not math.isinf(impedance):
                one = sp.csr_array(([n / length], ([end], [0])), shape=(n, 1))
                columns.append(_kron(shape, {axis: one}))
    return sp.csr_array(sp.hstack(columns))


def _kron(shape: tuple[int, ...], parts: dict[int, sp.csr_array]) -> sp.csr_array:
    factors = [parts.get(axis, sp.csr_array(sp.eye_array(n))) for axis, n in enumerate(shape)]
    return functools.reduce(lambda a, b: sp.csr_array(sp.kron(a, b)), factors)
