"""The H^-1 norm with a shift: exact for modes, dual for differences."""

import math

import pytest
import torch

from vcycle.spaces import Basis, Domain, Grid, HMinus1


@pytest.mark.parametrize("shift", [1.0, 10**-1.5])
def test_of_a_sine(shift):
    """||sin(2 pi x)||^2 = 1/2 / (4 pi^2 + s), at every resolution."""
    line = Domain.unit(1, "periodic")
    for n in (5, 16):
        u = (2 * math.pi * Grid(line, (n,)).axis(0)).sin()[None, None]
        found = HMinus1(line, shift=shift, exact=True)(u)
        assert found.item() == pytest.approx(math.sqrt(0.5 / (4 * math.pi**2 + shift)), rel=1e-13)
    assert HMinus1(line, shift=shift)(u).item() > 1.001 * found.item()  # differences damp a wave less


def test_exact_and_differences_agree_in_the_limit():
    domain = Domain([1.0, 2.0], [("dirichlet", "neumann"), "periodic"])
    c = torch.randn(2, 3, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    gaps = []
    for n in (16, 32):
        u = Basis(domain).synthesise(c, (n, 2 * n))
        exact = HMinus1(domain, shift=0.3, exact=True)(u)
        gaps.append(float((HMinus1(domain, shift=0.3)(u) / exact - 1).abs().max()))
    assert gaps[1] < 0.26 * gaps[0] < 0.01


def test_exact_is_the_sum_over_modes():
    domain = Domain([1.0, 2.0], ["neumann", "periodic"])
    basis, c = Basis(domain), torch.randn(2, 1, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = (c.square() / (0.3 + basis.laplacian((4, 5)))).flatten(1).sum(1).sqrt()
    found = HMinus1(domain, shift=0.3, exact=True)(basis.synthesise(c, (7, 9)))
    torch.testing.assert_close(found, expected)
