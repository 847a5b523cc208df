"""Guaranteed bounds for the minima of convex energies, nonlinear equations, by the duality gap."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor

from vcycle.hybrid.bound import SAFETY, relative_bound
from vcycle.hybrid.bregman import energy_of_rest, total_distance
from vcycle.hybrid.convex_energy import Energy, Field, Integrand, PerSample, Values
from vcycle.hybrid.monotone_root import monotone_root, slope_of
from vcycle.operators import gradient, gradient_transposed
from vcycle.solvers.newton import line_search
from vcycle.spaces import Domain, per_sample

ACCURACY = 1e-8  # of the linear equation for the flux, where it is solved by iteration
ATTEMPTS = 20  # steps towards the minimum until the flux is one that some slope has
ROUNDING = 1e-13  # of an energy, relative


@dataclass(frozen=True)
class GapBound:
    """An upper bound of the energy distance to the minimum u of E; the energy norm of u - v if E is quadratic.

    value    (b,) >= (2 (E(v) - E(u)))^(1/2)
    least    (b,) <= |2 (E(u) - E_0)|^(1/2), how far u is from rest, whose energy E_0 is that of grad u = 0, u = 0
    """

    value: PerSample
    least: PerSample

    @property
    def relative(self) -> PerSample:
        """(b,) >= the energy distance relative to that between u and rest; infinite where v says nothing of u."""
        return relative_bound(self.value, self.least)


@dataclass(frozen=True)
class Balance:
    """Slopes p in the subcells and values w in the cells, B^T a W'(p) + c V'(w) = f up to `rest`.

    step     of Newton's method, from the z that this balance was made from
    """

    p: Values
    w: Field
    rest: Field
    step: Field


def duality_gap(energy: Energy, v: Field, *, tighten: int = 0) -> GapBound:
    """E(v) - E(u) <= sum of |cell| (mean of a (W(grad v) - W(p) - W'(p) . (grad v - p)) + c (the same of V, v and w))

    for all slopes p and values w in equilibrium, B^T a W'(p) + c V'(w) = f, where u minimises
    E(u) = sum of |cell| (mean of a W(grad u) + c V(u) - f u): the sum is E(v) plus the dual energy of the flux a W'(p).

    v        (b, 1, *grid) finite; *any* v (a network's output, zero, noise)
    tighten  improve the flux, not v, by that many Newton steps

    The flux of v is brought to equilibrium by one step of Newton's method, one linear equation, which makes the bound
    asymptotically exact: gap / (E(v) - E(u)) = 1 + O(|u - v|^2). Where no slope has that flux (the fluxes of minimal
    surfaces are shorter than 1) it is made from a function nearer to u.
    Computed in double precision; the value includes what rounding and the solver left of the imbalance, and a relative
    1e-10. It is infinite where E(v) is, or no flux was found. Raises ValueError for a v that does not fit the data.
    Sources: Ekeland and Temam, Convex Analysis and Variational Problems, 1976; Repin, Math. Comp. 69, 2000;
    docs/theory_beyond.md.
    """
    if v.shape != energy.f.shape:
        raise ValueError(f"v must have the shape {tuple(energy.f.shape)} of the data of E, got {tuple(v.shape)}")
    v, rest = v.double(), energy_of_rest(energy)
    above = energy.value(v)
    z = v if bool(above.isfinite().all()) else torch.where(per_sample(above.isfinite(), v), v, energy.start())
    here = lowest = energy.value(z)
    gap, active = torch.full_like(above, torch.inf), torch.ones_like(above, dtype=torch.bool)
    for attempt in range(max(tighten, ATTEMPTS) + 1):
        balance = equilibrate_slopes(energy, z, active)
        gap = torch.where(active, torch.fmin(gap, _gap(energy, v, balance)), gap)
        missing = gap.isinf() & above.isfinite()
        slope = (energy.gradient(z) * balance.step).flatten(1).sum(1)
        z, here, _ = line_search(energy.value, z, here, balance.step, slope, active & here.isfinite())
        lowest = torch.fmin(lowest, here)
        if attempt == 0 and bool(missing.any()):
            z = torch.where(per_sample(missing, z), energy.start(), z)
            here = energy.value(z)
        active = missing if attempt >= tighten else torch.ones_like(active)
        if not bool(active.any()):
            break
    below = rest - lowest - ROUNDING * (rest.abs() + lowest.abs())
    beyond = above - gap - rest - ROUNDING * (above.abs() + gap + rest.abs())
    return GapBound((2 * gap).sqrt() * SAFETY, (2 * torch.fmax(below, beyond)).clamp_min(0).sqrt())


def equilibrate_slopes(energy: Energy, z: Field, active: Bool[Tensor, " b"]) -> Balance:
    """Slopes whose flux is that of z plus C grad s, C = a W'' and s the step of Newton's method at z; s = 0 for samples
    that are not active.
    """
    law, d = energy.integrand, energy.domain.dimension
    moduli, reaction = energy.tangent(z)
    residual = torch.where(per_sample(active, z), energy.gradient(z), 0.0)
    step, p = energy.step(z, residual, ACCURACY), energy.slopes(z)
    flux = energy.flux(p) + (moduli * gradient(step, energy.domain)[:, :, None]).sum(3)
    length = flux.square().sum(2, keepdim=True).sqrt()
    near = p + gradient(step, energy.domain)
    size = slope_of(law, length / energy.a[:, :, None, None], near.square().sum(2, keepdim=True).sqrt())
    p = flux * torch.where(length > 0, size / torch.where(length > 0, length, 1.0), 0.0)
    w = z + step
    if bool(energy.c.any()):
        taken = energy.c * law.reaction(z) + reaction * step
        taken = taken / torch.where(energy.c > 0, energy.c, 1.0)
        there = monotone_root(lambda w: (law.reaction(w), law.reaction_slope(w)), taken, w)
        w = torch.where(energy.c > 0, there, w)
    out = gradient_transposed(energy.flux(p), energy.domain) / 2**d
    return Balance(p, w, energy.f - out - energy.c * law.reaction(w), step)


def _gap(energy: Energy, v: Field, balance: Balance) -> PerSample:
    """What the balance says of E(v) - E(u); infinite if it says nothing."""
    slopes = energy.slopes(v)
    total = total_distance(energy, (slopes, v), (balance.p, balance.w)) + _unbalanced(energy, slopes, balance)
    return torch.where(total.isfinite(), energy.cell * total, torch.inf)


def _unbalanced(energy: Energy, slopes: Values, balance: Balance) -> PerSample:
    """What the imbalance r adds, |cell| left out: r = B^T t with ||t|| <= ||r|| / lambda^(1/2), and

    (r, u - v) <= ||t|| ||p - grad v|| + (the Bregman distance from p to grad u) + ||t||^2 / (2 m),

    m the least curvature of a W at a distance from p of at most R, provided that |t| <= m R / 2 everywhere.
    """
    law, a, d = energy.integrand, energy.a[:, :, None], energy.domain.dimension
    size = balance.rest.flatten(1).norm(dim=1) / math.sqrt(least_eigenvalue(energy.domain))
    largest = per_sample(size, a) * math.sqrt(2**d)
    length = balance.p.square().sum(2).sqrt()
    radius = 4 * largest / (a * _curvature(law, length))
    m = a * torch.minimum(_curvature(law, (length - radius).clamp_min(0)), _curvature(law, length + radius))
    sure = (2 * largest <= m * radius).flatten(1).all(1)
    distance = ((balance.p - slopes).square().sum(2).mean(2)).flatten(1).sum(1).sqrt()
    return torch.where(sure, size * distance + size.square() / (2 * m.flatten(1).amin(1)), torch.inf)


def _curvature(law: Integrand, length: Values) -> Values:
    """The smaller of the curvatures of W across and along p."""
    s = length.square()
    return torch.minimum(law.diffusivity(s), law.diffusivity(s) + 2 * s * law.diffusivity_slope(s))


def least_eigenvalue(domain: Domain) -> float:
    """lambda > 0 with lambda sum w^2 <= sum over cells of the mean of |grad w|^2: 8^(1 - d) / length^2.

    The length is that of the shortest axis with a Dirichlet face, on which Cauchy and Schwarz say
    |w|^2 <= length int (dw/dx)^2; means over the other axes are at least 1/8 of the squares.
    """
    held = [n for n, faces in zip(domain.lengths, domain.boundary, strict=True) if "dirichlet" in faces]
    if not held:
        raise ValueError(f"a gap needs a dirichlet face that fixes the solution, got {domain}: give one")
    return 8.0 ** (1 - domain.dimension) / min(held) ** 2
