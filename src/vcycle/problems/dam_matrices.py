"""The independent second solver of water over a barrier: sparse matrices, momentum in conservative form, SciPy's steps.

Fields are columns of numbers; D differences, M means, both without what lies beyond walls.
"""

import functools
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg
from scipy.integrate import solve_ivp

from vcycle.solvers.phase_field import FLAT, SLIGHT, STEEPEST

Array = np.ndarray


@dataclass(frozen=True)
class Mixture:
    """Gravity, density and viscosity of the air, thickness and mobility of the surface."""

    gravity: float
    density: float
    thinness: float
    thickness: float
    mobility: float


def dam_states(
    fixed: Array, given: Array | None, mixture: Mixture, spacing: tuple[float, float], times: Array, accuracy: float
) -> Array:
    """(u, v, p, phi) at the centres at the times, (4 times, n, m).

    fixed  speed at the inlet, viscosity, solid and phi at the beginning, (4, n, m)
    given  the first u, v and phi at the centres, (3, n, m), or None: the water as fast as it flows in
    """
    n, m = fixed.shape[1:]
    channel = _Channel(fixed[2] > 0.5, fixed[0, 0], fixed[3, 0], float(fixed[1].mean()), mixture, spacing)
    if given is None:
        phi, u, v = fixed[3], np.tile(fixed[0, 0], (n + 1, 1)), np.zeros((n, m + 1))
        u[1:n] *= (phi[1:] + phi[:-1]) / 2
        u[n] *= phi[-1]
    else:
        phi, u, v = given[2], np.empty((n + 1, m)), np.zeros((n, m + 1))
        u[0] = fixed[0, 0]
        for i in range(n):
            u[i + 1] = 2 * given[0, i] - u[i]
        for j in range(m):
            v[:, j + 1] = 2 * given[1, :, j] - v[:, j]
    start = channel.projected(channel.densities(phi), u * channel.free_u, v * channel.free_v)
    y0 = np.concatenate([phi.ravel(), start[0].ravel(), start[1].ravel()])
    # What is slight to the water is as much as the air. Limiters have corners, over which long steps of high order
    # commit errors larger than their estimates.
    slight, tolerance = np.where(np.arange(len(y0)) < phi.size, mixture.density, 1.0), accuracy / 100
    found = solve_ivp(
        lambda t, y: channel.rate(y)[0], (0, times[-1]), y0, "RK23", times, rtol=tolerance, atol=tolerance * slight
    )
    if not found.success or not np.isfinite(found.y).all():
        return np.full((4 * len(times), n, m), np.nan)
    out = []
    for y in found.y.T:
        phi, u, v = channel.parts(y)
        out += [(u[1:] + u[:-1]) / 2, (v[:, 1:] + v[:, :-1]) / 2, channel.rate(y)[1], phi]
    return np.stack(out)


class _Channel:
    """The equations of one sample."""

    def __init__(
        self,
        solid: Array,
        inlet: Array,
        inflow: Array,
        viscosity: float,
        mixture: Mixture,
        spacing: tuple[float, float],
    ):
        self.solid, self.inlet, self.inflow = solid, inlet, inflow
        self.nu, self.mixture, (self.h, self.k) = viscosity, mixture, spacing
        n, m = solid.shape
        self.free_u, self.free_v = np.ones((n + 1, m)), np.zeros((n, m + 1))
        self.free_u[1:n] = ~(solid[1:] | solid[:-1])
        self.free_v[:, 1:m] = ~(solid[:, 1:] | solid[:, :-1])

    def parts(self, y: Array) -> tuple[Array, Array, Array]:
        n, m = self.solid.shape
        a, b = n * m, n * m + (n + 1) * m
        return y[:a].reshape(n, m), y[a:b].reshape(n + 1, m), y[b:].reshape(n, m + 1)

    def densities(self, phi: Array) -> tuple[Array, Array]:
        """rho on faces."""
        rho = self.mixture.density * (1 - phi) + phi
        return _at_faces(rho), _at_faces(rho.T).T

    def divergence(self, a: Array, b: Array) -> Array:
        return (a[1:] - a[:-1]) / self.h + (b[:, 1:] - b[:, :-1]) / self.k

    @functools.cached_property
    def gradients(self) -> tuple[sp.csr_array, sp.csr_array]:
        """From cells to faces, p = 0 at the outlet, half a cell away."""
        n, m = self.solid.shape
        along = sp.lil_array(sp.diags_array([np.ones(n), -np.ones(n)], offsets=[0, -1], shape=(n + 1, n)))
        along[0, 0], along[n, n - 1] = 0.0, -2.0
        up = sp.diags_array([np.ones(m), -np.ones(m)], offsets=[0, -1], shape=(m + 1, m))
        across_x = sp.diags_array(self.free_u.ravel() / self.h) @ sp.kron(along, sp.eye_array(m))
        across_y = sp.diags_array(self.free_v.ravel() / self.k) @ sp.kron(sp.eye_array(n), up)
        return sp.csr_array(across_x), sp.csr_array(across_y)

    @functools.cached_property
    def outflows(self) -> tuple[sp.csr_array, sp.csr_array]:
        """The two parts of the divergence, from faces to cells."""
        n, m = self.solid.shape
        out_x = sp.diags_array([-np.ones(n), np.ones(n)], offsets=[0, 1], shape=(n, n + 1)) / self.h
        out_y = sp.diags_array([-np.ones(m), np.ones(m)], offsets=[0, 1], shape=(m, m + 1)) / self.k
        return sp.csr_array(sp.kron(out_x, sp.eye_array(m))), sp.csr_array(sp.kron(sp.eye_array(n), out_y))

    def projected(self, rho: tuple[Array, Array], a: Array, b: Array) -> tuple[Array, Array, Array]:
        """(a, b) - grad p / rho without divergence, and p, by SuperLU."""
        weighted = [sp.diags_array(1 / r.ravel()) @ d for r, d in zip(rho, self.gradients, strict=True)]
        matrix = (
            self.outflows[0] @ weighted[0] + self.outflows[1] @ weighted[1] + sp.diags_array(self.solid.ravel() * 1.0)
        )
        p = scipy.sparse.linalg.splu(sp.csc_array(matrix)).solve(self.divergence(a, b).ravel() * ~self.solid.ravel())
        a = a - (weighted[0] @ p).reshape(a.shape)
        return a, b - (weighted[1] @ p).reshape(b.shape), p.reshape(self.solid.shape)

    def rate(self, y: Array) -> tuple[Array, Array]:
        """Of phi, u and v, and the pressure."""
        (phi, u, v), mix, h, k = self.parts(y), self.mixture, self.h, self.k
        sharp_x, sharp_y = self.sharpening(phi)
        flux_x = u * _upwind(phi, u, self.inflow, self.free_u) - mix.mobility * sharp_x
        flux_y = v * _upwind(phi.T, v.T, phi[:, 0], self.free_v.T).T - mix.mobility * sharp_y
        phi_rate = -self.divergence(flux_x, flux_y)
        mass_x, mass_y = (1 - mix.density) * flux_x + mix.density * u, (1 - mix.density) * flux_y + mix.density * v
        rho_x, rho_y = self.densities(phi)
        a, b = self.momentum(phi, u, v, mass_x, mass_y)
        # rho u changes with rho too.
        rho_rate = -self.divergence(mass_x, mass_y)
        a, b = (a - _at_faces(rho_rate) * u) / rho_x, (b - _at_faces(rho_rate.T).T * v) / rho_y - mix.gravity
        above = np.cumsum((rho_y[-1, 1:] * np.where(np.arange(len(self.inlet)) == len(self.inlet) - 1, 0.5, 1))[::-1])
        a[-1] -= 2 * mix.gravity * k * above[::-1] / (h * rho_x[-1])
        a[0] = 0
        a, b, p = self.projected((rho_x, rho_y), a * self.free_u, b * self.free_v)
        return np.concatenate([phi_rate.ravel(), a.ravel(), b.ravel()]), p

    def sharpening(self, phi: Array) -> tuple[Array, Array]:
        """eps grad phi - phi (1 - phi) n on the faces."""
        eps, full = self.mixture.thickness, np.clip(phi, 0, 1)
        psi = eps * np.log((full + SLIGHT) / (1 + SLIGHT - full))
        gx, gy = np.zeros_like(self.free_u), np.zeros_like(self.free_v)
        gx[1:-1], gy[:, 1:-1] = np.diff(psi, axis=0) / self.h, np.diff(psi, axis=1) / self.k
        gx, gy = gx * self.free_u, gy * self.free_v
        out = []
        for along, across, step, free, c in (
            (gx, gy, self.h, self.free_u, full),
            (gy.T, gx.T, self.k, self.free_v.T, full.T),
        ):
            side = (across[:-1, 1:] + across[:-1, :-1] + across[1:, 1:] + across[1:, :-1]) / 4
            n = along[1:-1] * np.sqrt((1 + FLAT**2) / (along[1:-1] ** 2 + side**2 + FLAT**2))
            jump = np.expm1(np.minimum(np.abs(n) * step / eps, STEEPEST))
            less, more = np.where(n > 0, c[:-1], c[1:]), np.where(n > 0, c[1:], c[:-1])
            flux = np.zeros_like(along)
            flux[1:-1] = eps / step * (c[1:] - c[:-1] - np.sign(n) * jump * less * (1 - more))
            out.append(flux * free)
        return out[0], out[1].T

    def momentum(self, phi: Array, u: Array, v: Array, mass_x: Array, mass_y: Array) -> tuple[Array, Array]:
        """-div(m u) + div(mu (grad u + grad u^T)) on the faces."""
        h, k = self.h, self.k
        mu = self.nu * (phi + self.mixture.thinness * (1 - phi))
        stress = self.corner_stress(mu, u, v)
        a, b = np.zeros_like(u), np.zeros_like(v)
        through = 2 * mu * (u[1:] - u[:-1]) / h - (mass_x[1:] + mass_x[:-1]) * (u[1:] + u[:-1]) / 4
        a[1:-1] = (through[1:] - through[:-1]) / h
        a[-1] = (-mass_x[-1] * u[-1] - through[-1]) * 2 / h
        corner_mass = np.concatenate([mass_y[:1], (mass_y[1:] + mass_y[:-1]) / 2, mass_y[-1:]])
        sheared = stress.copy()
        sheared[:, 1:-1] -= corner_mass[:, 1:-1] * (u[:, 1:] + u[:, :-1]) / 2
        a[1:] += (sheared[1:, 1:] - sheared[1:, :-1]) / k
        through = 2 * mu * (v[:, 1:] - v[:, :-1]) / k - (mass_y[:, 1:] + mass_y[:, :-1]) * (v[:, 1:] + v[:, :-1]) / 4
        b[:, 1:-1] = (through[:, 1:] - through[:, :-1]) / k
        corner_mass = (mass_x[:, 1:] + mass_x[:, :-1]) / 2
        mean = np.concatenate([0 * v[:1], (v[1:] + v[:-1]) / 2, v[-1:]])[:, 1:-1]
        sheared = stress[:, 1:-1] - corner_mass * mean
        b[:, 1:-1] += (sheared[1:] - sheared[:-1]) / h
        return a, b

    def corner_stress(self, mu: Array, u: Array, v: Array) -> Array:
        """mu (du/dy + dv/dx) where four cells meet, mu the harmonic mean over those that are no solids."""
        n, m = self.solid.shape
        resistance, count = np.zeros((n + 1, m + 1)), np.zeros((n + 1, m + 1))
        for i in (0, 1):
            for j in (0, 1):
                place = (slice(i, n + i), slice(j, m + j))
                resistance[place] += np.where(self.solid, 0, 1 / mu)
                count[place] += ~self.solid
        wide, free = np.pad(u, ((0, 0), (1, 1))), np.pad(self.free_u, ((0, 0), (1, 1)))
        slope = _between_walls(wide[:, :-1], wide[:, 1:], free[:, :-1], free[:, 1:]) / self.k
        # At the outlet v goes on; the inlet is a wall to it.
        wide, free = np.concatenate([0 * v[:1], v, v[-1:]]), np.concatenate([0 * v[:1], self.free_v, self.free_v[-1:]])
        slope += _between_walls(wide[:-1], wide[1:], free[:-1], free[1:]) / self.h
        return slope * np.divide(count, resistance, out=np.zeros_like(count), where=resistance > 0)


def _at_faces(c: Array) -> Array:
    """Means of cells that are neighbours along the first axis; ends as they are."""
    return np.concatenate([c[:1], (c[1:] + c[:-1]) / 2, c[-1:]])


def _between_walls(low: Array, high: Array, free_low: Array, free_high: Array) -> Array:
    """high - low; where one of them is a wall it is minus the other."""
    wall = np.where(free_low > 0, -2 * low, np.where(free_high > 0, 2 * high, 0))
    return np.where((free_low > 0) & (free_high > 0), high - low, wall)


def _upwind(c: Array, speed: Array, before: Array, free: Array) -> Array:
    """c on the faces along the first axis, from where the flow comes, with van Leer's slopes."""
    steps = np.diff(c, axis=0, prepend=before[None], append=c[-1:]) * free
    product, total = steps[1:] * steps[:-1], steps[1:] + steps[:-1]
    half = np.divide(product, total, out=np.zeros_like(c), where=product > 0)
    from_low = np.concatenate([before[None], c + half])
    from_high = np.concatenate([c - half, c[-1:]])
    return np.where(speed > 0, from_low, from_high)
