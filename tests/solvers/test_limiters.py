"""What makes a limiter: no new extrema, exact for linear functions, second order, odd, and symmetric."""

import pytest
import torch

from vcycle.solvers.limiters import LIMITERS


@pytest.mark.parametrize("name", LIMITERS)
def test_limiters_make_no_new_extrema(name):
    limiter = LIMITERS[name]
    a, b = torch.randn(2, 1000, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    slope = limiter(a, b)
    assert bool((slope[a * b <= 0] == 0).all())
    assert bool((slope.abs() <= 2 * torch.minimum(a.abs(), b.abs()) + 1e-15).all())
    assert bool((slope * a >= 0).all())
    torch.testing.assert_close(limiter(b, a), slope)
    torch.testing.assert_close(limiter(-a, -b), -slope)
    torch.testing.assert_close(limiter(a, a), a)
