"""The Euler equations for the second solver of conservation laws: HLLC by the pressure between the waves."""

from dataclasses import dataclass

import numpy as np

from vcycle.problems.godunov import Array, Fluxes


@dataclass(frozen=True)
class EulerFluxes(Fluxes):
    """w = (rho, u, p), q = (rho, rho u, E); `riemann` is 'hllc' or 'rusanov'."""

    gamma: float
    riemann: str

    def conserved(self, w: Array) -> Array:
        rho, *u, p = w
        kinetic = rho * sum(v * v for v in u) / 2
        return np.stack([rho, *(rho * v for v in u), p / (self.gamma - 1) + kinetic])

    def primitive(self, q: Array) -> Array:
        rho, *momentum, energy = q
        kinetic = sum(m * m for m in momentum) / (2 * rho)
        return np.stack([rho, *(m / rho for m in momentum), (self.gamma - 1) * (energy - kinetic)])

    def faces(self, left: Array, right: Array) -> tuple[Array, Array]:
        (q_l, f_l, c_l), (q_r, f_r, c_r) = self._parts(left), self._parts(right)
        if self.riemann == "rusanov":
            fastest = np.maximum(np.abs(left[1]) + c_l, np.abs(right[1]) + c_r)
            flux = 0.5 * (f_l + f_r) - 0.5 * fastest * (q_r - q_l)
            return flux, flux
        s_l, s_r = np.minimum(left[1] - c_l, right[1] - c_r), np.maximum(left[1] + c_l, right[1] + c_r)
        a_l, a_r = left[0] * (left[1] - s_l), right[0] * (s_r - right[1])
        s = (left[-1] - right[-1] + a_l * left[1] + a_r * right[1]) / (a_l + a_r)
        p = (left[-1] - a_l * (s - left[1]) + right[-1] + a_r * (s - right[1])) / 2
        push = np.zeros_like(q_l)
        push[1], push[-1] = p, p * s
        # Of Rankine-Hugoniot's conditions at a wave with speed S: F* = (s (S q - F) + S (0, p, ..., p s)) / (S - s).
        star = np.where(
            s >= 0,
            (s * (s_l * q_l - f_l) + s_l * push) / (s_l - s),
            (s * (s_r * q_r - f_r) + s_r * push) / (s_r - s),
        )
        flux = np.where(s_l >= 0, f_l, np.where(s_r <= 0, f_r, star))
        return flux, flux

    def _parts(self, w: Array) -> tuple[Array, Array, Array]:
        q, push = self.conserved(w), np.zeros_like(w)
        push[1], push[-1] = w[-1], w[-1] * w[1]
        return q, q * w[1] + push, np.sqrt(self.gamma * w[-1] / w[0])
