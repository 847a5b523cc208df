"""A conservative phase field: the volume fraction of one of two fluids, on cells between walls."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from vcycle.operators.staggered import means, walled
from vcycle.solvers.limiters import van_leer

Cells = Float[Tensor, "b n m"]
AcrossX = Float[Tensor, "b _ m"]  # on the n + 1 faces of every row
AcrossY = Float[Tensor, "b n _"]  # on the m + 1 faces of every column
Open = tuple[Bool[Tensor, "b _ m"], Bool[Tensor, "b n _"]]  # which faces something may flow through

SLIGHT = 1e-6  # fractions below it, and as near to 1, no longer turn the normal
FLAT = 0.1  # slopes of psi below it, which are 1 across an interface, sharpen less
STEEPEST = 3.0  # on cells longer than this times eps an interface is as wide as if eps were a third of their length


def carried(phi: Cells, inflow: Float[Tensor, "b m"], u: AcrossX, v: AcrossY, opened: Open) -> tuple[AcrossX, AcrossY]:
    """u phi on all faces, phi from upwind with limited slopes; `inflow` is that of what enters at the low end of x.

    What enters at the high end has the phi of the last cell.
    """
    still_x, still_y = torch.zeros_like(phi[:, :1]), torch.zeros_like(phi[:, :, :1])
    rise = torch.cat([phi[:, :1] - inflow[:, None], phi.diff(dim=1), still_x], 1) * opened[0]
    half = van_leer(rise[:, :-1], rise[:, 1:]) / 2
    low, high = torch.cat([inflow[:, None], phi + half], 1), torch.cat([phi - half, phi[:, -1:]], 1)
    across_x = u.clamp_min(0) * low + u.clamp_max(0) * high
    rise = torch.cat([still_y, phi.diff(dim=2), still_y], 2) * opened[1]
    half = van_leer(rise[:, :, :-1], rise[:, :, 1:]) / 2
    low, high = torch.cat([still_y, phi + half], 2), torch.cat([phi - half, still_y], 2)
    return across_x, v.clamp_min(0) * low + v.clamp_max(0) * high


def sharpening(phi: Cells, spacing: tuple[float, ...], eps: float, opened: Open) -> tuple[AcrossX, AcrossY]:
    """eps grad phi - phi (1 - phi) n on all faces, n = c grad psi / (|grad psi|^2 + FLAT^2)^(1/2) with
    psi = eps log(phi / (1 - phi)) and c such that |n| = 1 where |grad psi| = 1; 0 on the ends of the box and on walls.

    With r = n h / eps its part between two cells is (eps / h) (phi_high (1 - phi_low) - e^r phi_low (1 - phi_high)) for
    r > 0, and its mirror image for r < 0: exactly 0 across a plane interface phi = 1 / (1 + e^(-x / eps)), and none
    where the fluid would come from a cell without it, or go to a full one.
    Sources: Chiu and Lin 2011; Jain 2022 for psi; Scharfetter and Gummel 1969 for the exponentials.
    """
    (h, k), inside = spacing, (opened[0][:, 1:-1], opened[1][:, :, 1:-1])
    psi = ((phi + SLIGHT) / (1 - phi + SLIGHT)).log()
    gx, gy = walled(psi.diff(dim=1) * inside[0] * (eps / h), 1), walled(psi.diff(dim=2) * inside[1] * (eps / k), 2)
    centre_x, centre_y = means(gx, 1), means(gy, 2)
    beside = means(centre_y, 1), means(centre_x, 2)
    steepness = (gx[:, 1:-1].square() + beside[0].square(), gy[:, :, 1:-1].square() + beside[1].square())
    unit = math.sqrt(1 + FLAT**2)
    nx, ny = (unit / (s + FLAT**2).sqrt() for s in steepness)
    fx = _between(phi[:, :-1], phi[:, 1:], gx[:, 1:-1] * nx * (h / eps)) * inside[0] * (eps / h)
    fy = _between(phi[:, :, :-1], phi[:, :, 1:], gy[:, :, 1:-1] * ny * (k / eps)) * inside[1] * (eps / k)
    return walled(fx, 1), walled(fy, 2)


def _between(low: Float[Tensor, "..."], high: Float[Tensor, "..."], r: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    r = r.clamp(-STEEPEST, STEEPEST)
    return (-r).clamp_min(0).exp() * high * (1 - low) - r.clamp_min(0).exp() * low * (1 - high)


def loss(spacing: tuple[float, ...], eps: float) -> float:
    """What share of its content a cell loses by `sharpening` in a unit of time, at most."""
    # Beside a front one face takes 1, the other e^r - 1; what stands alone loses 1 through both.
    return sum(eps / h**2 * max(2.0, math.exp(min(h / eps, STEEPEST))) for h in spacing)


def repeated(f: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """With the first entry once more before, and the last behind."""
    return torch.cat([f.narrow(dim, 0, 1), f, f.narrow(dim, f.shape[dim] - 1, 1)], dim)
