"""The independent second solver of conservation laws: one sample at a time in NumPy, steps by SciPy.

Shares no line with the finite volumes on tensors; the equations in space are the same, so that they can be compared.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.integrate import solve_ivp

Array = Float[np.ndarray, "..."]
Ghosts = Literal["periodic", "wall", "absorbing"]


class Fluxes(ABC):
    """What a hyperbolic system is in NumPy: channels first, channel 1 the velocity across the face."""

    @abstractmethod
    def conserved(self, w: Array) -> Array:
        """q of w."""

    @abstractmethod
    def primitive(self, q: Array) -> Array:
        """w of q."""

    @abstractmethod
    def faces(self, left: Array, right: Array) -> tuple[Array, Array]:
        """The flux through faces along the first axis, as the left and as the right cells see it."""

    def force(self, low: Array, high: Array) -> Array:
        """h times the force inside the cells, of w at their ends."""
        return np.zeros_like(low)

    def levels(self, w: Array) -> Array:
        """The variables that are given slopes."""
        return w

    def from_levels(self, r: Array) -> Array:
        """w of these."""
        return r


@dataclass(frozen=True)
class Godunov:
    """q_t by limited linear functions and fluxes at faces, axis after axis."""

    fluxes: Fluxes
    spacing: tuple[float, ...]
    ghosts: tuple[Ghosts, ...]
    limiter: str

    def states(self, w: Array, interval: float, snapshots: int, accuracy: float) -> Array:
        """w after `interval`, 2 `interval`, ... by the Runge-Kutta pair of Bogacki and Shampine; NaN if it fails."""
        q = self.fluxes.conserved(w)
        times = interval * np.arange(1, snapshots + 1)
        size = np.abs(q).max()
        with np.errstate(all="ignore"):
            found = solve_ivp(
                lambda _, y: self.rate(y.reshape(q.shape)).ravel(),
                (0.0, times[-1]),
                q.ravel(),
                t_eval=times,
                rtol=accuracy / 10,
                atol=accuracy / 10 * size,
            )
        if not found.success:
            return np.full((snapshots * len(w), *w.shape[1:]), np.nan)
        return np.concatenate([self.fluxes.primitive(y.reshape(q.shape)) for y in found.y.T])

    def rate(self, q: Array) -> Array:
        """q_t."""
        r = self.fluxes.levels(self.fluxes.primitive(q))
        total = np.zeros_like(q)
        for axis, h in enumerate(self.spacing):
            total += _turned(self._along(_turned(r, axis), self.ghosts[axis]), axis) / h
        return total

    def _along(self, r: Array, ghosts: Ghosts) -> Array:
        """h q_t due to the first axis."""
        n = r.shape[1]
        if ghosts == "periodic":
            padded = r[:, np.arange(-2, n + 2) % n]
        elif ghosts == "absorbing":
            padded = r[:, np.clip(np.arange(-2, n + 2), 0, n - 1)]
        else:
            padded = r[:, [1, 0, *range(n), n - 1, n - 2]]
            padded[1, [0, 1, -2, -1]] *= -1
        back, ahead = padded[:, 1:-1] - padded[:, :-2], padded[:, 2:] - padded[:, 1:-1]
        half = self._slope(back, ahead) / 2
        low, high = (self.fluxes.from_levels(padded[:, 1:-1] + s * half) for s in (-1, 1))
        to_left, to_right = self.fluxes.faces(high[:, :-1], low[:, 1:])
        return to_right[:, :-1] - to_left[:, 1:] + self.fluxes.force(low[:, 1:-1], high[:, 1:-1])

    def _slope(self, back: Array, ahead: Array) -> Array:
        least = np.minimum(np.abs(back), np.abs(ahead))
        most = np.maximum(np.abs(back), np.abs(ahead))
        same = (np.sign(back) + np.sign(ahead)) / 2
        if self.limiter == "minmod":
            return same * least
        return same * 2 * least / (1 + least / np.where(most > 0, most, 1.0))


def _turned(q: Array, axis: int) -> Array:
    """The same with this axis and its component of the velocity in the first place; its own inverse."""
    if axis == 0:
        return q
    q = q.swapaxes(1, axis + 1).copy()
    q[[1, axis + 1]] = q[[axis + 1, 1]]
    return q
