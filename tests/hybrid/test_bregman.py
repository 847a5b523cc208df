"""Bregman distances: never below the truth, sharp at all distances, zero only for equal arguments."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from vcycle.hybrid.bregman import above_tangent, gradient_distance, potential_distance
from vcycle.problems import MinimalSurface, PLaplacian, SemilinearElliptic

LAWS = [PLaplacian(p=1.5, epsilon=1e-3), PLaplacian(p=3.0), PLaplacian(p=8.0), MinimalSurface(), SemilinearElliptic()]


def pairs(spread: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Vectors in the plane of many sizes, and others nearby."""
    g = torch.Generator().manual_seed(0)
    size = 10 ** (4 * torch.rand(500, generator=g, dtype=torch.float64) - 2)
    q, noise = torch.randn(2, 500, 1, 2, generator=g, dtype=torch.float64)
    q = q * size.view(-1, 1, 1)
    return (q + spread * noise * size.view(-1, 1, 1)).view(500, 1, 2, 1, 1), q.view(500, 1, 2, 1, 1)


@pytest.mark.parametrize("spread", [0.1, 1e-2, 1e-4, 1e-5, 1e-6, 1e-9])
@pytest.mark.parametrize("law", LAWS, ids=lambda law: f"{law.name}-{getattr(law, 'p', '')}")
def test_distances_of_slopes_lie_just_above_the_integral_of_the_curvature(law, spread):
    """D = integral of (1 - t) e . W''(q + t e) e over 0 < t < 1, by forty Gauss points on eight panels each."""
    p, q = pairs(spread)
    e, total = p - q, torch.zeros(500, 1, 1, 1, dtype=torch.float64)
    nodes, weights = (torch.from_numpy(x) for x in np.polynomial.legendre.leggauss(40))
    for panel in range(8):
        for x, w in zip((nodes + 1) / 2, weights / 2, strict=True):
            t = (panel + float(x)) / 8
            r = q + t * e
            s, along = r.square().sum(2), (r * e).sum(2)
            curvature = law.diffusivity(s) * e.square().sum(2) + 2 * law.diffusivity_slope(s) * along.square()
            total = total + float(w) / 8 * (1 - t) * curvature
    ratio = gradient_distance(law, p, q) / total
    assert float(ratio.min()) > 1 - 1e-9
    # At slopes of 100 the curvature across a surface is 1e4 times that along it, and D the difference of such terms.
    assert float(ratio.max()) < 1 + (0.1 if isinstance(law, MinimalSurface) else 1e-3)


def test_the_distance_of_a_quartic_is_exact():
    """u^4 / 4: (u - w)^2 (u^2 + 2 u w + 3 w^2) / 4, in fractions."""
    law, g = SemilinearElliptic(), torch.Generator().manual_seed(0)
    w = torch.randn(200, 1, 1, generator=g, dtype=torch.float64)
    for spread in (1.0, 1e-3, 1e-6, 1e-10):
        u = w + spread * torch.randn(200, 1, 1, generator=g, dtype=torch.float64)
        found = potential_distance(law, u, w).flatten().tolist()
        for x, y, distance in zip(u.flatten().tolist(), w.flatten().tolist(), found, strict=True):
            a, b = Fraction(x), Fraction(y)
            exact = float((a - b) ** 2 * (a**2 + 2 * a * b + 3 * b**2) / 4)
            assert exact * (1 - 1e-12) <= distance <= exact * (1 + 1e-3) + 1e-300


def test_the_smaller_of_two_upper_bounds():
    """x^2 / 2 from 0: the difference is exact for large steps, the curvature for small ones."""
    x = torch.tensor([1e3, 1e-9], dtype=torch.float64)
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    torch.testing.assert_close(above_tangent((x**2 / 2, zero), zero, (one, one), x), x**2 / 2, rtol=1e-13, atol=0)
    far = above_tangent((x**2 / 2 + 1, one), zero, (one, 2 * one), x)
    torch.testing.assert_close(far, torch.tensor([x[0] ** 2 / 2, x[1] ** 2]), rtol=1e-6, atol=0)
