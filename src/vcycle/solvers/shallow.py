"""The shallow-water equations over a bottom: fluxes that keep a lake at rest at rest."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from vcycle.solvers.gas import RiemannSolver
from vcycle.solvers.hyperbolic import HyperbolicSystem, State, extreme_speeds, rusanov
from vcycle.spaces import finite


@dataclass(frozen=True)
class ShallowLayer(HyperbolicSystem):
    """w = (h, u, b), q = (h, h u, b): h_t + div(h u) = 0, (h u)_t + div(h u u + g h^2 / 2) = -g h grad b, b_t = 0.

    Slopes are those of h, u and the surface h + b; at a face the water stands on the higher of the two bottoms.
    Source: Audusse et al., SIAM J. Sci. Comput. 25, 2004. HLLC: Toro, Shock-capturing methods for free-surface flows.
    """

    gravity: float = 1.0
    riemann: RiemannSolver = "hllc"

    def conserved(self, w: State) -> State:
        h, u, b = w[:, :1], w[:, 1:-1], w[:, -1:]
        return torch.cat([h, h * u, b], 1)

    def primitive(self, q: State) -> State:
        h, discharge, b = q[:, :1], q[:, 1:-1], q[:, -1:]
        return torch.cat([h, discharge / h, b], 1)

    def signal_speed(self, w: State) -> Float[Tensor, "b *grid"]:
        return (self.gravity * w[:, 0]).sqrt()

    def admissible(self, w: State) -> Bool[Tensor, " b"]:
        return (w[:, 0] > 0).flatten(1).all(1) & finite(w)

    def slopes_of(self, w: State) -> State:
        return torch.cat([w[:, :-1], w[:, :1] + w[:, -1:]], 1)

    def from_slopes_of(self, r: State) -> State:
        return torch.cat([r[:, :-1], r[:, -1:] - r[:, :1]], 1)

    def interface(self, left: State, right: State, axis: int) -> tuple[State, State]:
        bottom = torch.maximum(left[:, -1], right[:, -1])
        sides = tuple(
            torch.cat([(w[:, 0] + w[:, -1] - bottom).clamp_min(0)[:, None], w[:, 1:-1]], 1) for w in (left, right)
        )
        flux = self._flux_between(sides[0], sides[1], axis)
        out = []
        for w, side in zip((left, right), sides, strict=True):
            seen = torch.cat([flux, torch.zeros_like(w[:, :1])], 1)
            seen[:, axis + 1] += self.gravity / 2 * (w[:, 0].square() - side[:, 0].square())
            out.append(seen)
        return out[0], out[1]

    def inner(self, low: State, high: State, axis: int) -> State | None:
        force = torch.zeros_like(low)
        force[:, axis + 1] = self.gravity * (low[:, 0] + high[:, 0]) / 2 * (high[:, -1] - low[:, -1])
        return force

    def _flux_between(self, left: Tensor, right: Tensor, axis: int) -> Tensor:
        """The flux of (h, h u) between two states (h, u)."""
        f, q, u, c = [], [], [], []
        for w in (left, right):
            h, speed = w[:, :1], w[:, axis + 1]
            q.append(torch.cat([h, h * w[:, 1:]], 1))
            flow = q[-1] * speed[:, None]
            flow[:, axis + 1] += self.gravity / 2 * w[:, 0].square()
            f.append(flow)
            u.append(speed)
            c.append((self.gravity * w[:, 0]).sqrt())
        if self.riemann == "rusanov":
            return rusanov(f[0], f[1], q[1] - q[0], torch.maximum(u[0].abs() + c[0], u[1].abs() + c[1]))
        slow, fast = extreme_speeds((u[0], u[1]), (c[0], c[1]))
        slow, fast = slow.clamp_max(0)[:, None], fast.clamp_min(0)[:, None]
        flux = (fast * f[0] - slow * f[1] + slow * fast * (q[1] - q[0])) / (fast - slow)
        # The contact carries the velocity along the face, from the side that the water comes from.
        for other in range(left.shape[1] - 1):
            if other != axis:
                flux[:, other + 1] = flux[:, 0] * torch.where(flux[:, 0] > 0, left[:, other + 1], right[:, other + 1])
        return flux
