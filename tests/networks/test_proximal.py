import pytest
import torch
from torch import nn

from vcycle.networks.proximal import InputConvex, Proximal, proximal_matching


def learned(features: int = 3, alpha: float = 0.05) -> Proximal:
    torch.manual_seed(0)
    return Proximal(InputConvex(features, width=16, depth=3, alpha=alpha)).double()


class HalfSquare(nn.Module):
    """psi = ||y||^2 / 2, whose gradient is the identity: the proximal operator of R = 0."""

    def forward(self, y):
        return y.square().sum(1) / 2


def soft(y: torch.Tensor, threshold: float = 1.0) -> torch.Tensor:
    return y.sign() * (y.abs() - threshold).clamp_min(0)


def test_the_jacobian_is_symmetric_and_positive_whatever_the_weights():
    f = learned(alpha=0.0)
    for p in f.parameters():
        p.data = 2 * torch.randn_like(p)
    y = torch.randn(20, 3, dtype=torch.float64)
    J = f.jacobian(y).detach()
    torch.testing.assert_close(J, J.mT, rtol=0, atol=1e-10 * float(J.abs().max()))
    assert float(torch.linalg.eigvalsh(J).min()) >= -1e-10 * float(J.abs().max())
    small = 1e-5 * torch.eye(3, dtype=torch.float64)
    differences = torch.stack([(f(y + h) - f(y - h)).detach() / 2e-5 for h in small], 2)
    torch.testing.assert_close(J, differences, rtol=1e-5, atol=1e-5 * float(J.abs().max()))


def test_it_is_monotone():
    f = learned()
    a, b = torch.randn(2, 100, 3, dtype=torch.float64)
    inner = ((f(a) - f(b)) * (a - b)).sum(1)
    assert bool((inner >= 2 * 0.05 * (a - b).square().sum(1) * (1 - 1e-12)).all())


def test_the_preimage_has_the_image_asked_for():
    f = learned()
    x = f(3 * torch.randn(10, 3, dtype=torch.float64)).detach()
    assert float((f(f.preimage(x)) - x).detach().abs().max()) < 1e-8


def test_outside_the_range_there_is_no_preimage():
    f = learned(features=1, alpha=0.0)
    with pytest.raises(ValueError, match="no y with"):
        f.preimage(torch.full((1, 1), 1e6, dtype=torch.float64))


def test_the_gradient_of_half_the_square_is_the_identity_and_its_prior_is_zero():
    f, y = Proximal(HalfSquare()), torch.randn(5, 3, dtype=torch.float64)
    torch.testing.assert_close(f(y), y)
    torch.testing.assert_close(f.prior(y), torch.zeros(5, dtype=torch.float64), rtol=0, atol=1e-14)


def test_images_minimise_the_proximal_problem_of_the_prior():
    """f(y) has the least (x - y)^2 / 2 + R(x) over a fine sample of the range of f, for untrained weights."""
    f = learned(features=1)
    s = torch.linspace(-6, 6, 4001, dtype=torch.float64)[:, None]
    x, R = f(s).detach(), f.prior(s).detach()
    for y in (-3.0, -0.4, 0.0, 1.7):
        mine = f(torch.tensor([[y]], dtype=torch.float64)).detach()
        own = (mine - y).square().sum() / 2 + f.prior(torch.tensor([[y]], dtype=torch.float64)).detach()
        others = (x[:, 0] - y).square() / 2 + R
        assert float(own) <= float(others.min()) + 1e-12


@pytest.mark.slow
def test_proximal_matching_learns_the_mode_where_absolute_values_learn_the_median():
    """Signals with density exp(-|x|) / 2 in unit noise: the mode is soft thresholding at 1, its prior |x|."""
    torch.manual_seed(0)
    f = Proximal(InputConvex(1))

    def train(loss, steps: int, rate: float) -> None:
        optimizer = torch.optim.Adam(f.parameters(), lr=rate)
        for _ in range(steps):
            x = torch.distributions.Laplace(0.0, 1.0).sample((500, 1))
            value = loss(f(x + torch.randn_like(x)), x)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()

    def distances() -> tuple[float, float]:
        """Of f from the soft threshold and of R from |x|, in the maximum norm on [-4, 4]."""
        y = torch.linspace(-4, 4, 401)[:, None]
        x, R = f(y).detach(), f.prior(y).detach()
        return float((x - soft(y)).abs().max()), float((R - R.min() - x[:, 0].abs()).abs().max())

    train(lambda u, x: (u - x).abs().mean(), 500, 5e-3)
    median = distances()
    for gamma in (0.5, 0.4):
        train(lambda u, x, gamma=gamma: proximal_matching(u, x, gamma), 400, 1e-3)
    mode = distances()
    assert mode[0] < 0.75 * median[0]
    assert mode[1] < 0.5 * median[1]
