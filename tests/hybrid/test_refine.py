"""Refinement lowers the residual of a trajectory, and with it the error: only if the residual sees its changes."""

import math

import pytest
import torch
from torch import nn

from vcycle.hybrid import ResidualNorm, refine
from vcycle.problems import vorticity
from vcycle.spaces import L2, Basis, Domain, GaussianField, Grid, HMinus1

SQUARE = Domain.unit(2, "periodic")
VISCOSITY = 5e-3
MODES = (7, 7)
H_MINUS_ONE = HMinus1(SQUARE, shift=10**-1.5, exact=True)


def residual_norm(step: float, norm=H_MINUS_ONE) -> ResidualNorm:
    return ResidualNorm(lambda w: vorticity.residual(w, step, VISCOSITY, 0.0, SQUARE), norm, step)


def taylor_green(n: int, count: int, step: float) -> torch.Tensor:
    """w = cos(2 pi x) cos(2 pi y) exp(-8 pi^2 nu t)."""
    x, y = Grid(SQUARE, (n, n)).mesh()
    times = step * torch.arange(count, dtype=torch.float64)[:, None, None]
    wave = (2 * math.pi * x).cos() * (2 * math.pi * y).cos()
    return (wave * (-8 * math.pi**2 * VISCOSITY * times).exp())[None]


def rk4(w: torch.Tensor, step: float, count: int, inner: int = 10) -> torch.Tensor:
    """`count` snapshots of the vorticity equation, the first of them w (b, 1, x, y)."""

    def slope(v):
        dt = vorticity.residual(v[:, None].expand(-1, 5, -1, -1).contiguous(), 1.0, VISCOSITY, 0.0, SQUARE)
        return -dt[:, 0]  # five equal snapshots have no d_t

    snapshots, v, h = [w[:, 0]], w[:, 0], step / inner
    for _ in range((count - 1) * inner):
        k1 = slope(v)
        k2 = slope(v + h / 2 * k1)
        k3 = slope(v + h / 2 * k2)
        v = v + h / 6 * (k1 + 2 * k2 + 2 * k3 + slope(v + h * k3))
        snapshots.append(v)
    return torch.stack(snapshots[::inner], 1)


class Correction(nn.Module):
    """A trajectory that is given, plus one of a few modes that is learned; `idle` is there to be left alone."""

    def __init__(self, trajectory: torch.Tensor):
        super().__init__()
        self.given = nn.Buffer(trajectory)
        self.learned = nn.Parameter(trajectory.new_zeros(1, trajectory.shape[1], *MODES))
        self.idle = nn.Parameter(trajectory.new_ones(()))

    def forward(self, a: torch.Tensor) -> torch.Tensor:
        return self.given * self.idle + Basis(SQUARE).synthesise(self.learned, tuple(a.shape[2:])) + 0 * a[:, :1]


def test_the_residual_of_a_taylor_green_vortex_falls_at_fourth_order():
    norms = []
    for count in (10, 20, 40):
        w = taylor_green(16, count + 1, 1 / count)
        norms.append(float(residual_norm(1 / count)(w[:, 1:], w[:, :1])))
    assert norms[2] < 1e-4
    assert all(math.log2(norms[i] / norms[i + 1]) > 3.4 for i in (0, 1))


def test_snapshots_that_do_not_belong_together_have_a_large_residual():
    """The residual after one solver step from the prediction itself is next to nothing for any of them."""
    step, w = 0.05, GaussianField(SQUARE, 2.5, 7.0).sample((16, 16), 0, range(11))[:, 0][None]
    w = w / w.std()
    right = taylor_green(16, 11, step)
    J = residual_norm(step, L2(SQUARE))
    assert float(J(w[:, 1:], w[:, :1])) > 1e3 * float(J(right[:, 1:], right[:, :1]))

    def vacuous(snapshots: torch.Tensor) -> torch.Tensor:
        flat, tiny = snapshots.reshape(-1, 1, 16, 16), 1e-6
        pairs = rk4(flat, tiny, 5, inner=1)
        return vorticity.residual(pairs, tiny, VISCOSITY, 0.0, SQUARE)[:, 0].reshape(snapshots.shape)

    blind = ResidualNorm(vacuous, L2(SQUARE), step)
    assert float(blind(w[:, 1:], w[:, :1])) < 1e-6 * float(J(w[:, 1:], w[:, :1]))


@pytest.fixture(scope="module")
def flow() -> torch.Tensor:
    """Ten snapshots at 32 x 32, 0.2 apart, of decaying turbulence."""
    field = GaussianField(SQUARE, 2.5, 7.0).sample((32, 32), 0, range(1))
    return rk4(field / field.std(), 0.2, 10)


@pytest.mark.parametrize("norm", [H_MINUS_ONE, L2(SQUARE)], ids=["h_minus_1", "l2"])
def test_a_perturbed_trajectory_comes_closer_to_the_solution(flow, norm):
    noise = torch.Generator().manual_seed(1)
    a, truth = flow[:, :5], flow[:, 5:]
    bump = Basis(SQUARE).synthesise(0.02 * torch.randn(1, 5, *MODES, generator=noise, dtype=torch.float64), (32, 32))
    network, J = Correction(truth + bump), residual_norm(0.2, norm)
    assert float(J(truth, a)) < 1e-3 * float(J(truth + bump, a))
    refined = refine(network, a, J, "learned", steps=60)
    before, after = (L2(SQUARE).relative(v, truth) for v in (truth + bump, refined.value))
    assert float(refined.history.min()) < 0.15 * float(refined.history[0])
    assert float(after) < 0.45 * float(before)


def test_only_the_parameters_named_move_and_the_network_stays():
    w = taylor_green(8, 10, 0.1)
    network = Correction(1.1 * w[:, 5:])
    state = {name: value.clone() for name, value in network.state_dict().items()}
    refined = refine(network, w[:, :5], residual_norm(0.1), ["idle"], steps=20, rate=2e-2)
    for name, value in network.state_dict().items():
        assert torch.equal(value, state[name])
    ratio = refined.value / network(w[:, :5]).detach()
    torch.testing.assert_close(ratio, ratio[:, :1, :1, :1].expand_as(ratio))  # one number has moved
    assert float(ratio.mean()) == pytest.approx(1 / 1.1, abs=0.02)
    assert all(p.requires_grad for p in network.parameters())


def test_samples_are_refined_by_themselves_and_never_get_worse():
    a = GaussianField(SQUARE, 2.5, 7.0).sample((8, 8), 0, range(15)).reshape(3, 5, 8, 8)
    network, J = Correction(a[:1]), residual_norm(0.1)
    together = refine(network, a, J, "", steps=5)
    alone = torch.cat([refine(network, sample[None], J, "", steps=5).value for sample in a])
    torch.testing.assert_close(together.value, alone)
    assert together.history.shape == (6, 3)
    wild = refine(network, a, J, "", steps=3, rate=1e3)
    torch.testing.assert_close(wild.value, network(a).detach())
    torch.testing.assert_close(refine(network, a, J, "", steps=0).value, network(a).detach())


def test_the_functional_is_a_loss_too():
    w = taylor_green(8, 10, 0.1).float().requires_grad_()
    residual_norm(0.1)(w[:, 5:], w[:, :5]).sum().backward()
    assert w.grad.isfinite().all()
    assert float(w.grad.abs().max()) > 0


def test_a_name_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"begins with any of \['head'\]: choose from learned, idle"):
        refine(Correction(torch.zeros(1, 5, 8, 8)), torch.zeros(1, 5, 8, 8), residual_norm(0.1), "head")
