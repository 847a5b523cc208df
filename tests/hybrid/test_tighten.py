import pytest
import torch

from references.cases import BOUNDARIES, PRIORS, domain
from vcycle.hybrid import energy_bound
from vcycle.hybrid.tighten import equilibrated_flux
from vcycle.problems import Darcy
from vcycle.spaces import divergence


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_the_bound_never_grows_with_the_cycles_and_tends_to_the_error(boundary, prior):
    D = domain(2, boundary)
    P = Darcy(D, PRIORS[prior], "gaussian" if D.floating else "constant")
    inputs = P.sample((12, 20), 1, range(4))
    a, f = P.fields(inputs)
    u, v = P.solve(inputs).value, torch.randn(4, 1, 12, 20, dtype=torch.float64)
    bounds = torch.stack([energy_bound(v, a, f, D, tighten=cycles).value for cycles in (0, 1, 2, 4, 8, 16)])
    assert bool((bounds[1:] <= bounds[:-1] * (1 + 1e-9)).all())
    torch.testing.assert_close(bounds[-1], P.energy_norm(inputs)(v - u), rtol=1e-3, atol=0)


@pytest.mark.parametrize("cycles", [0, 1, 5])
def test_the_flux_stays_in_equilibrium(cycles):
    D = domain(2, "mixed")
    P = Darcy(D, PRIORS["contrast 1e6"])
    A = P.operator(P.sample((9, 8), 0, range(2)))
    load = torch.rand(2, 1, 9, 8, dtype=torch.float64)
    q = equilibrated_flux(torch.randn_like(load), A, load, cycles)
    scale = max(float(t.abs().max()) for t in q)
    torch.testing.assert_close(divergence(q, D), -load, rtol=0, atol=1e-12 * max(scale, 1))
