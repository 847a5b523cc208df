"""The gap of a p-energy bounds the gradient of the error in L^p."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from references.longdouble import slopes_of
from vcycle.hybrid.duality_gap import duality_gap
from vcycle.hybrid.uniform_convexity import gradient_bound
from vcycle.problems import LogNormal, PLaplacian
from vcycle.spaces import Domain


@pytest.mark.parametrize("p", [1.2, 1.5, 2.0, 2.5, 4.0])
@pytest.mark.parametrize("epsilon", [1e-2, 1.0])
def test_gradients_are_bounded(p, epsilon):
    P = PLaplacian(Domain([1.0, 2.0]), LogNormal(), p=p, epsilon=epsilon)
    inputs = P.sample((8, 9), 0, range(4))
    E, u = P.discrete(inputs), P.solve(inputs, 1e-13).value
    noise = torch.randn(u.shape, generator=torch.Generator().manual_seed(0), dtype=u.dtype)

    def norm(squares: np.ndarray) -> torch.Tensor:
        """Of slopes with these squares, (b, subcells), in L^p with weight a."""
        a = np.stack([np.kron(one[0].numpy(), np.ones((2, 2))).ravel() for one in E.a])
        return torch.from_numpy((a * squares ** (p / 2)).sum(1).astype(float) * E.cell / 4) ** (1 / p)

    for v in (0 * u, 2 * u, u + 0.1 * u.std() * noise, u + 1e-3 * u.std() * noise, u + 1e4 * noise):
        size = norm(epsilon**2 + (slopes_of(E, v.numpy()) ** 2).sum(1))
        error = norm((slopes_of(E, (u - v).numpy()) ** 2).sum(1))
        bound = gradient_bound(duality_gap(E, v).value.square() / 2, p, size)
        assert bool((bound >= error).all())
        assert bool(bound.isfinite().all())


def test_for_p_2_it_is_the_norm_itself():
    P = replace(PLaplacian(p=2.0), source="gaussian")
    inputs = P.sample((6, 6), 0, range(3))
    bound = duality_gap(P.discrete(inputs), 0 * inputs[:, :1])
    value = gradient_bound(bound.value.square() / 2, 2.0, bound.value)
    torch.testing.assert_close(value, bound.value)


def test_below_2_it_solves_its_inequality():
    gap, size, p = torch.tensor([1e-8, 1.0, 1e8]).double(), torch.tensor([1.0, 1.0, 1.0]).double(), 1.5
    x = gradient_bound(gap, p, size)
    torch.testing.assert_close(x**2, 2 / (p - 1) * gap * (size + x) ** (2 - p))


def test_an_energy_of_the_first_power_is_refused():
    with pytest.raises(ValueError, match="uniformly convex for p > 1"):
        gradient_bound(torch.ones(1), 1.0, torch.ones(1))
