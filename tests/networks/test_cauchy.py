import torch
import torch.nn.functional as F

from vcycle.networks.cauchy import LEAST_WIDTH, Cauchy
from vcycle.spaces import Domain, Space

SPACE = Space(Domain.unit(1), 2)


def cauchy(odd: float, even: float, width: float) -> tuple[Cauchy, float]:
    act = Cauchy(SPACE).double()
    for parameter, value in ((act.odd, odd), (act.even, even), (act.width, width)):
        parameter.data.fill_(value)
    return act, float(F.softplus(torch.tensor(width, dtype=torch.float64))) + LEAST_WIDTH


def points() -> torch.Tensor:
    return torch.linspace(-3, 3, 61, dtype=torch.float64).expand(1, 2, 61)


def test_odd_and_even_part():
    act, d = cauchy(0.7, -0.4, 0.2)
    u = points()
    torch.testing.assert_close((act(u) - act(-u)) / 2, 0.7 * u / (u**2 + d**2))
    torch.testing.assert_close((act(u) + act(-u)) / 2, -0.4 / (u**2 + d**2))


def test_derivatives_are_the_published_formulas():
    act, d = cauchy(0.7, -0.4, 0.2)
    u = points().clone().requires_grad_()
    (first,) = torch.autograd.grad(act(u).sum(), u, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), u)
    q = u**2 + d**2
    torch.testing.assert_close(first, 0.7 * (d**2 - u**2) / q**2 + 0.8 * u / q**2)
    torch.testing.assert_close(second, 1.4 * u * (u**2 - 3 * d**2) / q**3 - 0.8 * (3 * u**2 - d**2) / q**3)


def test_one_neuron_is_any_rational_function_with_these_poles():
    """(3 u + 2) / (u^2 + 4) has its poles at +-2 i."""
    width = float(torch.tensor(2 - LEAST_WIDTH, dtype=torch.float64).expm1().log())
    act, d = cauchy(3.0, 2.0, width)
    assert abs(d - 2) < 1e-12
    u = points()
    torch.testing.assert_close(act(u), (3 * u + 2) / (u**2 + 4))


def test_it_is_bounded_and_starts_with_values_in_one():
    u = torch.linspace(-50, 50, 10001, dtype=torch.float64).expand(1, 2, 10001)
    act, d = cauchy(0.7, -0.4, 0.2)
    assert float(act(u).detach().abs().max()) <= 0.7 / (2 * d) + 0.4 / d**2
    start = Cauchy(SPACE).double()(u).detach()
    assert 0.999 < float(start.abs().max()) <= 1 + 1e-6
    assert sum(p.numel() for p in Cauchy(SPACE).parameters()) == 6
