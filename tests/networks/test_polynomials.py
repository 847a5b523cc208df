import torch

from vcycle.networks.polynomials import PolyNorm, PolyReLU


def field() -> torch.Tensor:
    return torch.randn(2, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_polyrelu_starts_as_published_and_contains_relu():
    act, u = PolyReLU().double(), field()
    r = u.relu()
    torch.testing.assert_close(act(u), (r + r**2 + r**3) / 3)
    act.weight.data = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    assert torch.equal(act(u), r)


def test_polynorm_does_not_see_positive_factors():
    act, u = PolyNorm().double(), 10 * field()
    torch.testing.assert_close(act(7 * u), act(u), rtol=1e-6, atol=1e-6)
    odd_and_even = [act(s * u) for s in (1, -1)]
    even = u**2 * (u**4).mean(1, keepdim=True).rsqrt() / 3
    torch.testing.assert_close((odd_and_even[0] + odd_and_even[1]) / 2, even, rtol=1e-6, atol=1e-6)


def test_every_term_of_polynorm_has_mean_square_one():
    act, u = PolyNorm().double(), 10 * field()
    for i in range(3):
        act.weight.data = 1.0 * (torch.arange(3, dtype=torch.float64) == i)
        torch.testing.assert_close(act(u).square().mean(1), torch.ones(2, 4, dtype=torch.float64), rtol=1e-6, atol=0)


def test_gradients_are_bounded_near_zero():
    act, u = PolyNorm().double(), (1e-9 * field()).requires_grad_()
    (gradient,) = torch.autograd.grad(act(u).sum(), u)
    assert float(gradient.abs().max()) < 1e4
