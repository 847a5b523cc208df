import pytest
import torch

from references.cases import BOUNDARIES, domain
from vcycle.hybrid.equilibration import dual_norm, equilibrate
from vcycle.hybrid.flow import excess
from vcycle.operators import FiniteVolume
from vcycle.spaces import conductances, difference, divergence


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_every_flux_is_brought_to_equilibrium_and_one_in_equilibrium_is_left_alone(dimension, boundary):
    D, shape = domain(dimension, boundary), (6, 5, 4)[:dimension]
    torch.manual_seed(0)
    unit = conductances(torch.ones(1, 1, *shape, dtype=torch.float64), D)
    flux = tuple(
        torch.randn_like(d) * (k > 0)
        for k, d in zip(unit, difference(torch.randn(3, 1, *shape).double(), D), strict=True)
    )
    load = torch.randn(3, 1, *shape, dtype=torch.float64)
    if D.floating:
        load = load - load.mean(tuple(range(1, load.ndim)), keepdim=True)
    q = equilibrate(flux, load, D)
    torch.testing.assert_close(divergence(q, D), -load, rtol=0, atol=1e-11)
    assert float(excess(q, load, D).abs().max()) < 1e-11
    for t, again in zip(q, equilibrate(q, load, D), strict=True):
        torch.testing.assert_close(again, t, rtol=0, atol=1e-11)


def test_the_imbalance_bounds_the_dual_norm_of_what_is_missing():
    """sup (r, w) / ||a^(1/2) grad w|| = sqrt(r A^-1 r)."""
    D, shape = domain(2, "walls"), (5, 4)
    a, r = torch.rand(3, 1, *shape, dtype=torch.float64) + 0.1, torch.randn(3, 1, *shape, dtype=torch.float64)
    solved = torch.linalg.solve(FiniteVolume.assemble(a, D).dense(), r.flatten(1)[..., None])[..., 0]
    assert bool(((r.flatten(1) * solved).sum(1).sqrt() <= dual_norm(r, a, None, D)).all())
