"""The shallow-water equations over a bottom for the second solver of conservation laws."""

from dataclasses import dataclass

import numpy as np

from vcycle.problems.godunov import Array, Fluxes


@dataclass(frozen=True)
class ShallowFluxes(Fluxes):
    """w = (h, u, b), q = (h, h u, b); `riemann` is 'hllc' or 'rusanov'."""

    gravity: float
    riemann: str

    def conserved(self, w: Array) -> Array:
        return np.stack([w[0], *(w[0] * v for v in w[1:-1]), w[-1]])

    def primitive(self, q: Array) -> Array:
        return np.stack([q[0], *(m / q[0] for m in q[1:-1]), q[-1]])

    def levels(self, w: Array) -> Array:
        return np.stack([*w[:-1], w[0] + w[-1]])

    def from_levels(self, r: Array) -> Array:
        return np.stack([*r[:-1], r[-1] - r[0]])

    def faces(self, left: Array, right: Array) -> tuple[Array, Array]:
        step = np.maximum(left[-1], right[-1])
        h_l, h_r = np.maximum(left[0] + left[-1] - step, 0), np.maximum(right[0] + right[-1] - step, 0)
        flux = self._flux(h_l, left[1:-1], h_r, right[1:-1])
        sides = []
        for h, w in ((h_l, left), (h_r, right)):
            seen = np.concatenate([flux, np.zeros_like(flux[:1])])
            seen[1] += self.gravity * (w[0] + h) * (w[0] - h) / 2
            sides.append(seen)
        return sides[0], sides[1]

    def force(self, low: Array, high: Array) -> Array:
        out = np.zeros_like(low)
        out[1] = -self.gravity * (high[0] + low[0]) * (high[-1] - low[-1]) / 2
        return out

    def _flux(self, h_l: Array, u_l: Array, h_r: Array, u_r: Array) -> Array:
        c_l, c_r = np.sqrt(self.gravity * h_l), np.sqrt(self.gravity * h_r)
        discharge_l, discharge_r = h_l * u_l[0], h_r * u_r[0]
        push_l, push_r = discharge_l * u_l[0] + c_l**2 * h_l / 2, discharge_r * u_r[0] + c_r**2 * h_r / 2
        if self.riemann == "rusanov":
            a = np.maximum(np.abs(u_l[0]) + c_l, np.abs(u_r[0]) + c_r)
            mass = (discharge_l + discharge_r - a * (h_r - h_l)) / 2
            push = (push_l + push_r - a * (discharge_r - discharge_l)) / 2
            across = [
                (discharge_l * a_l + discharge_r * a_r - a * (h_r * a_r - h_l * a_l)) / 2
                for a_l, a_r in zip(u_l[1:], u_r[1:], strict=True)
            ]
            return np.stack([mass, push, *across])
        s_l, s_r = np.minimum(u_l[0] - c_l, u_r[0] - c_r), np.maximum(u_l[0] + c_l, u_r[0] + c_r)
        mass = self._hll(s_l, s_r, (discharge_l, discharge_r), h_r - h_l)
        push = self._hll(s_l, s_r, (push_l, push_r), discharge_r - discharge_l)
        across = [mass * np.where(mass > 0, a_l, a_r) for a_l, a_r in zip(u_l[1:], u_r[1:], strict=True)]
        return np.stack([mass, push, *across])

    def _hll(self, s_l: Array, s_r: Array, f: tuple[Array, Array], jump: Array) -> Array:
        """Harten, Lax and van Leer's flux of one variable."""
        between = (s_r * f[0] - s_l * f[1] + s_l * s_r * jump) / (s_r - s_l)
        return np.where(s_l >= 0, f[0], np.where(s_r <= 0, f[1], between))
