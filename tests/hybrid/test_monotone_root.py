"""Increasing functions are inverted wherever the target can be reached."""

import pytest
import torch

from vcycle.hybrid.monotone_root import monotone_root, slope_of
from vcycle.problems import MinimalSurface, PLaplacian

WIDE = torch.cat([-(10 ** torch.linspace(3, -3, 25)), 10 ** torch.linspace(-3, 3, 25)]).double()


@pytest.mark.parametrize("power", [1, 3, 5])
def test_odd_powers_from_any_start(power):
    """Starts too large or too small by orders of magnitude, of either sign; x^3 and x^5 have no slope at 0."""
    target, start = WIDE[:, None].expand(50, 51), torch.cat([WIDE, WIDE.new_zeros(1)]).expand(50, 51)
    x = monotone_root(lambda x: (x**power, power * x ** (power - 1)), target, start)
    torch.testing.assert_close(x**power, target, rtol=1e-13, atol=0)


@pytest.mark.parametrize("law", [PLaplacian(p=1.2, epsilon=1e-4), PLaplacian(p=8.0), MinimalSurface()])
def test_slopes_of_fluxes(law):
    y = torch.cat([10 ** torch.linspace(-5, 3, 50).double(), torch.zeros(1).double()])
    for start in (y, 1e5 * y + 1, 0 * y):
        found = slope_of(law, y * law.diffusivity(y**2), start)
        torch.testing.assert_close(found * law.diffusivity(found**2), y * law.diffusivity(y**2), rtol=4e-15, atol=0)
    assert found[-1] == 0


def test_no_slope_of_a_minimal_surface_has_a_flux_of_length_1():
    flux = torch.tensor([0.999, 1.0 + 1e-12, 5.0], dtype=torch.float64)
    assert torch.isfinite(slope_of(MinimalSurface(), flux, torch.ones(3).double())).tolist() == [True, False, False]
