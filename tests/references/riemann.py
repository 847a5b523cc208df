"""The exact solution of the Riemann problem of an ideal gas (Toro, chapter 4)."""

import numpy as np
from scipy.optimize import brentq

Primitive = tuple[float, float, float]


def riemann(left: Primitive, right: Primitive, gamma: float, speeds: np.ndarray) -> np.ndarray:
    """(rho, u, p) at x / t = speeds, (3, n)."""
    small = (gamma - 1) / (gamma + 1)

    def jump(p: float, side: Primitive) -> float:
        rho, _, p_0 = side
        if p > p_0:
            return (p - p_0) * np.sqrt(2 / ((gamma + 1) * rho) / (p + small * p_0))
        c = np.sqrt(gamma * p_0 / rho)
        return 2 * c / (gamma - 1) * ((p / p_0) ** ((gamma - 1) / (2 * gamma)) - 1)

    p = brentq(lambda p: jump(p, left) + jump(p, right) + right[1] - left[1], 1e-12, 1e6, xtol=1e-15)
    u = (left[1] + right[1] + jump(p, right) - jump(p, left)) / 2
    out = np.empty((3, len(speeds)))
    for sign, side, mask in ((1, left, speeds < u), (-1, right, speeds >= u)):
        out[:, mask] = _side(side, sign, u, p, gamma, speeds[mask])
    return out


def _side(side: Primitive, sign: int, u: float, p: float, gamma: float, s: np.ndarray) -> np.ndarray:
    """One side of the contact; sign is 1 to the left of it."""
    rho_0, u_0, p_0 = side
    c_0, small, n = np.sqrt(gamma * p_0 / rho_0), (gamma - 1) / (gamma + 1), len(s)
    before = np.tile([[rho_0], [u_0], [p_0]], n)
    if p > p_0:
        ratio = p / p_0
        rho = rho_0 * (ratio + small) / (small * ratio + 1)
        shock = u_0 - sign * c_0 * np.sqrt((gamma + 1) / (2 * gamma) * ratio + (gamma - 1) / (2 * gamma))
        return np.where(sign * (s - shock) < 0, before, np.tile([[rho], [u], [p]], n))
    rho = rho_0 * (p / p_0) ** (1 / gamma)
    head, tail = u_0 - sign * c_0, u - sign * np.sqrt(gamma * p / rho)
    c = 2 / (gamma + 1) * (c_0 + sign * (gamma - 1) / 2 * (u_0 - s))
    inside = np.maximum(c / c_0, 1e-12)
    fan = np.stack([rho_0 * inside ** (2 / (gamma - 1)), s + sign * c, p_0 * inside ** (2 * gamma / (gamma - 1))])
    after = np.tile([[rho], [u], [p]], n)
    return np.where(sign * (s - head) < 0, before, np.where(sign * (s - tail) > 0, after, fan))
