"""Two incompressible fluids in a channel with an obstacle: a phase field on a staggered grid, with gravity."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from vcycle.operators.staggered import from_means, means, walled
from vcycle.solvers.driven_cavity import DECAY
from vcycle.solvers.finite_volumes import MOST_STEPS, ssp_rk3
from vcycle.solvers.phase_field import carried, loss, repeated, sharpening
from vcycle.solvers.products import guarded
from vcycle.solvers.weighted_projection import weighted_pressure
from vcycle.spaces import Domain, Grid

Cells = Float[Tensor, "b n m"]
AcrossX = Float[Tensor, "b _ m"]  # on the n + 1 faces of every row, inlet and outlet among them
AcrossY = Float[Tensor, "b n _"]  # on the m + 1 faces of every column, with those on the plates
State = Float[Tensor, "b _"]
PerSample = Float[Tensor, " b"]
COURANT = 0.8  # of the first steps: halved once they are mostly accurate enough


@dataclass(frozen=True)
class TwoFluids:
    """rho u_t + m . grad u = -grad p + div(mu (grad u + grad u^T)) - rho g e_y, div u = 0,
    phi_t + div(u phi - gamma f) = 0 with f = eps grad phi - phi (1 - phi) n of solvers.phase_field.

    rho and mu are linear in phi: 1 and nu in water (phi = 1), `density` and `thinness` nu in air (phi = 0). Mass flows
    with phi, m = density u + (1 - density) (u phi - gamma f), rho_t = -div m; m . grad u is div(m u) - u div m on the
    grid too, so that momentum is conserved (Mirjalili and Mani 2021). u and phi are given at the low end of x, u = 0 on
    plates and obstacle; at the high end du/dx = dv/dx = 0 and p is the weight of the column above, 0 at the upper
    plate: layers at rest stay at rest.

    A state is phi in the cells, u on all faces across x and v on all across y, side by side. phi stays in [0, 1] and
    div u at 0, to rounding.

    inlet      u in the m cells of the low end, (b, m)
    inflow     phi of what flows in there, (b, m)
    viscosity  nu of every sample
    solid      which cells are solid, (b, n, m); none in the first and in the last column, and no fluid is enclosed
    gravity    g
    density    of the air
    thinness   the dynamic viscosity of the air, in units of that of the water
    thickness  eps: phi = 1 / (1 + e^(-x / eps)) across an interface
    mobility   gamma, a speed
    """

    domain: Domain
    shape: tuple[int, int]
    inlet: Float[Tensor, "b m"]
    inflow: Float[Tensor, "b m"]
    viscosity: PerSample
    solid: Bool[Tensor, "b n m"]
    gravity: float
    density: float
    thinness: float
    thickness: float
    mobility: float

    def __post_init__(self) -> None:
        if bool(self.solid[:, [0, -1]].any()):
            raise ValueError("an obstacle reaches the inlet or the outlet: move it, take a longer box or more points")

    @property
    def spacing(self) -> tuple[float, ...]:
        return Grid(self.domain, self.shape).spacing

    @cached_property
    def opened(self) -> tuple[Bool[Tensor, "b _ m"], Bool[Tensor, "b n _"]]:
        """The faces that something flows through: those between fluid cells, the inlet and the outlet."""
        free = (~self.solid).double()
        across_x = torch.cat([free[:, :1], free[:, 1:] * free[:, :-1], free[:, -1:]], 1)
        return across_x > 0, walled(free[:, :, 1:] * free[:, :, :-1], 2) > 0

    @cached_property
    def lengths(self) -> Float[Tensor, "_ 1"]:
        """The lengths of the boxes around the faces across x: at the outlet half a cell."""
        size = self.inlet.new_full((self.shape[0] + 1, 1), self.spacing[0])
        size[-1] /= 2
        return size

    @cached_property
    def beside(self) -> Float[Tensor, "b _ _"]:
        """How many fluid cells there are around every corner."""
        return _around((~self.solid).double())

    def state(self, phi: Cells, u: AcrossX, v: AcrossY) -> State:
        """The parts of a state side by side, u - grad q / rho without divergence instead of u."""
        lighter = self.lighter(self.mixed(phi, 1.0, self.density))
        u, v = u * self.opened[0], v * self.opened[1]
        return torch.cat([phi.flatten(1), *(w.flatten(1) for w in self.projected(u, v, lighter)[:2])], 1)

    def parts(self, state: State) -> tuple[Cells, AcrossX, AcrossY]:
        """phi, u and v."""
        (n, m), cells = self.shape, self.shape[0] * self.shape[1]
        phi, u, v = state.split([cells, cells + m, cells + n], 1)
        return phi.unflatten(1, (n, m)), u.unflatten(1, (n + 1, m)), v.unflatten(1, (n, m + 1))

    def mixed(self, phi: Cells, water: float | Tensor, air: float | Tensor) -> Cells:
        """A property of both fluids, linear in phi."""
        return air + (water - air) * phi.clamp(0, 1)

    def lighter(self, rho: Cells) -> tuple[AcrossX, AcrossY]:
        """1 / rho on the faces, 0 on walls."""
        across_x = torch.cat([rho[:, :1], means(rho, 1), rho[:, -1:]], 1)
        return self.opened[0] / across_x, self.opened[1] / repeated(means(rho, 2), 2)

    def change(self, state: State) -> tuple[State, Cells]:
        """The rate of a state, and its pressure."""
        (phi, u, v), (h, k) = self.parts(state), self.spacing
        flow = carried(phi, self.inflow, u, v, self.opened)
        sharp = sharpening(phi.clamp(0, 1), self.spacing, self.thickness, self.opened)
        flux_x, flux_y = (a - self.mobility * b for a, b in zip(flow, sharp, strict=True))
        rho, jump = self.mixed(phi, 1.0, self.density), 1 - self.density
        lighter = self.lighter(rho)
        a, b = self.forces(phi, u, v, self.density * u + jump * flux_x, self.density * v + jump * flux_y)
        a, b = a * lighter[0], b * lighter[1] - self.gravity * self.opened[1]
        a[:, 0] = 0  # the inlet is given
        # The weight of what stands above in the last column, down to the centres of its cells.
        last = rho[:, -1]
        weight = torch.cat([means(last, 1), last[:, -1:] / 2], 1).flip(1).cumsum(1).flip(1) * self.gravity * k
        a[:, -1] -= weight * lighter[0][:, -1] / (h / 2)
        a, b, p = self.projected(a, b, lighter)
        phi_rate = -flux_x.diff(dim=1) / h - flux_y.diff(dim=2) / k
        return torch.cat([phi_rate.flatten(1), a.flatten(1), b.flatten(1)], 1), p

    def projected(self, a: AcrossX, b: AcrossY, lighter: tuple[AcrossX, AcrossY]) -> tuple[AcrossX, AcrossY, Cells]:
        """(a, b) - grad p / rho without divergence, and p, 0 at the outlet; what comes through the inlet stays."""
        h, k = self.spacing
        wx, wy = lighter[0] / self.lengths, lighter[1] / k
        wx[:, 0] = 0
        p = weighted_pressure(wx / h, wy / k, -self.divergence(a, b))
        a = a - wx * torch.cat([p[:, :1], p, torch.zeros_like(p[:, :1])], 1).diff(dim=1)
        return a, b - wy * repeated(p, 2).diff(dim=2), p

    def divergence(self, u: AcrossX, v: AcrossY) -> Cells:
        """div u in every cell."""
        return u.diff(dim=1) / self.spacing[0] + v.diff(dim=2) / self.spacing[1]

    def forces(self, phi: Cells, u: AcrossX, v: AcrossY, mx: AcrossX, my: AcrossY) -> tuple[AcrossX, AcrossY]:
        """-m . grad u + div(mu (grad u + grad u^T)) on the faces, for the mass flux m.

        Every segment of the box around a face carries m (mean u - u) = m (u_neighbour - u) / 2 into it.
        """
        (h, k), nu = self.spacing, self.viscosity.view(-1, 1, 1)
        mu = self.mixed(phi, nu, self.thinness * nu)
        along = 2 * mu / h * u.diff(dim=1), 2 * mu / k * v.diff(dim=2)
        a, b = walled(along[0], 1).diff(dim=1) / self.lengths, walled(along[1], 2).diff(dim=2) / k
        a = a - means(walled(means(mx, 1) * u.diff(dim=1), 1), 1) / self.lengths
        b = b - means(walled(means(my, 2) * v.diff(dim=2), 2), 2) / k
        a = a - means(walled(means(repeated(my, 1), 1)[:, :, 1:-1] * u.diff(dim=2), 2), 2) / k
        # v is 0 at the inlet and does not change any more at the outlet.
        steps = torch.cat([2 * v[:, :1], v.diff(dim=1), torch.zeros_like(v[:, :1])], 1)
        b = b - means(walled(means(mx, 2), 2) * steps, 1) / h
        resistance = _around(torch.where(self.solid, 0.0, 1 / mu))  # layers slide on each other: harmonic means
        shear = self.shear(u, v) * self.beside / guarded(resistance)
        return a + shear.diff(dim=2) / k, b + shear.diff(dim=1) / h

    def shear(self, u: AcrossX, v: AcrossY) -> Float[Tensor, "b _ _"]:
        """du/dy + dv/dx at the corners of the cells; beyond walls, which are half a cell away, u is -u."""
        (h, k), (open_x, open_y) = self.spacing, self.opened
        above, below = torch.cat([u, -u[:, :, -1:]], 2), torch.cat([-u[:, :, :1], u], 2)
        behind, before = torch.cat([v, v[:, -1:]], 1), torch.cat([-v[:, :1], v], 1)
        on_x = walled(open_x, 2)
        on_y = torch.cat([open_y[:, :1], open_y, open_y[:, -1:]], 1)
        up = torch.where(on_x[:, :, 1:], above, -below) - torch.where(on_x[:, :, :-1], below, -above)
        across = torch.where(on_y[:, 1:], behind, -before) - torch.where(on_y[:, :-1], before, -behind)
        return up / k + across / h

    def haste(self, state: State) -> PerSample:
        """How many steps a unit of time takes, such that phi stays in [0, 1] and viscosity is stable."""
        (_, u, v), (h, k) = self.parts(state), self.spacing
        fastest_x, fastest_y = torch.maximum(u[:, 1:].abs(), u[:, :-1].abs()), v.abs()
        fast = fastest_x / h + torch.maximum(fastest_y[:, :, 1:], fastest_y[:, :, :-1]) / k
        nu = self.viscosity * max(1.0, self.thinness / self.density)
        decay = 4 * nu * (1 / h**2 + 1 / k**2) / DECAY
        return 2 * fast.flatten(1).amax(1) + self.mobility * loss(self.spacing, self.thickness) + decay

    def march(self, state: State, interval: float, snapshots: int, halvings: int) -> Float[Tensor, "b s n m"]:
        """(u, v, p, phi) at the centres after `interval`, 2 `interval`, ...; NaN from where on it is not finite."""
        out = []
        for _ in range(snapshots):
            state = self._advance(state, interval, COURANT / 2**halvings)
            out += [self.centres(state), torch.stack([self.change(state)[1], self.parts(state)[0]], 1)]
        return torch.cat(out, 1)

    def _advance(self, state: State, interval: float, courant: float) -> State:
        """Every sample with its own steps."""
        left = state.new_full(state.shape[:1], interval)
        for _ in range(MOST_STEPS):
            steps = (left * self.haste(state) / courant).ceil().clamp_min(1)
            lost = ~(steps <= MOST_STEPS) & (left > 0)  # NaN, or so fast that it never ends
            if bool(lost.any()):
                state = torch.where(lost[:, None], torch.nan, state)
                left, steps = torch.where(lost, 0.0, left), torch.where(lost, 1.0, steps)
            if not bool((left > 0).any()):
                return state
            dt = left / steps
            state = ssp_rk3(lambda q: self.change(q)[0], state, dt[:, None])
            left = torch.where(steps == 1, 0.0, left - dt)
        return state * torch.where(left > 0, torch.nan, 1.0)[:, None]

    def centres(self, state: State) -> Float[Tensor, "b 2 n m"]:
        """u and v at the centres, the means of opposite faces."""
        _, u, v = self.parts(state)
        return torch.stack([means(u, 1), means(v, 2)], 1)

    def begin(self, phi: Cells) -> State:
        """The water as fast as it flows in, the air at rest, led around the obstacle with the least effort."""
        share = torch.cat([torch.ones_like(phi[:, :1]), means(phi, 1), phi[:, -1:]], 1)
        return self.state(phi, self.inlet[:, None] * share, phi.new_zeros(len(phi), self.shape[0], self.shape[1] + 1))

    def go_on(self, centres: Float[Tensor, "b 2 n m"], phi: Cells) -> State:
        """The state whose velocity has these `centres`, from inlet and plate on."""
        u, v = centres.unbind(1)
        u, v = from_means(u, 1, self.inlet[:, None]), from_means(v, 2)
        return self.state(phi, torch.cat([self.inlet[:, None], u], 1), torch.cat([torch.zeros_like(v[:, :, :1]), v], 2))


def _around(f: Cells) -> Float[Tensor, "b _ _"]:
    """The sum over the cells around every corner."""
    f = walled(walled(f, 1), 2)
    return 4 * means(means(f, 1), 2)
