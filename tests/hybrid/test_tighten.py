import pytest
import torch

from references.cases import BOUNDARIES, PRIORS, domain
from vcycle.hybrid import energy_bound
from vcycle.hybrid.flow import misfit, product
from vcycle.hybrid.reconstruction import at_vertices
from vcycle.hybrid.tighten import equilibrated_flux
from vcycle.operators import classical_cycles, geometric_multigrid
from vcycle.problems import Darcy, TwoPhase
from vcycle.spaces import Domain, divergence


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
    q = equilibrated_flux(torch.randn_like(load), A, load, classical_cycles(A)[:1] * cycles)
    scale = max(float(t.abs().max()) for t in q)
    torch.testing.assert_close(divergence(q, D), -load, rtol=0, atol=1e-12 * max(scale, 1))


def test_cycles_in_turn_tighten_where_one_kind_alone_is_slow():
    P = Darcy(prior=TwoPhase(1.0, 1e4))
    inputs = P.sample((48, 48), 23, range(8))
    f = P.fields(inputs)[1]
    A, u = P.operator(inputs), P.solve(inputs).value
    x = (torch.arange(48, dtype=torch.float64) + 0.5) / 48
    v = u * (1 + 0.05 * torch.sin(2 * torch.pi * x)[:, None] * torch.sin(torch.pi * x))
    load, true = f.double() / 48**2, P.energy_norm(inputs)(v - u)

    def worst(cycles):
        rest = misfit(equilibrated_flux(v, A, load, cycles), v, A)
        return float((product(rest, rest, A).sqrt() / true).max())

    assert 1 <= worst(classical_cycles(A)) < 1.05
    assert worst(classical_cycles(A)) < worst([geometric_multigrid(A)] * 2)


@pytest.mark.parametrize("faces", [("dirichlet", "dirichlet"), ("neumann", "dirichlet"), ("dirichlet", "neumann")])
def test_on_a_line_the_tightened_bound_is_the_error_in_closed_form(faces):
    # -(a u')' = 1 has the flux a u' = C - x; two Dirichlet faces say that u' integrates to zero, a Neumann face C.
    torch.manual_seed(0)
    line, n = Domain([(1.0, 4.0)], [faces]), 12
    h = 3.0 / n
    a = torch.exp(1.5 * torch.randn(5, 1, n, dtype=torch.float64))
    v = 1.1 * Darcy(line).solve(a).value + 0.02 * torch.randn_like(a)
    left, right = h * torch.arange(n), h * torch.arange(1, n + 1)
    between = ((right**2 - left**2) / (2 * a[:, 0])).sum(1) / (h / a[:, 0]).sum(1)
    constant = {("neumann", "dirichlet"): 0.0, ("dirichlet", "neumann"): 3.0}.get(faces, between[:, None])
    slope = a[:, 0] * at_vertices(v, a, line)[:, 0].diff() / h
    ends = [(constant - x - slope) ** 3 for x in (left, right)]
    error = ((ends[0] - ends[1]) / (3 * a[:, 0])).sum(1).sqrt()
    bound = energy_bound(v, a, 1.0, line, form="continuum", tighten=3).value
    assert bool((bound >= error).all())
    torch.testing.assert_close(bound, error, rtol=1e-9, atol=0)
