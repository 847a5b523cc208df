"""The bound of -div(a grad u) + c u = f: exact for constant a and c, sharp for small and large c, regular if c > 0."""

import itertools
import math

import pytest
import torch

from references.cases import BOUNDARIES, PRIORS, domain
from references.dense import network, solve_network
from vcycle.hybrid import energy_bound
from vcycle.hybrid.equilibration import dual_norm, equilibrate
from vcycle.hybrid.flow import excess
from vcycle.operators import FiniteVolume, geometric_multigrid
from vcycle.problems.assembled import solve_assembled
from vcycle.solvers import conjugate_gradients
from vcycle.spaces import Domain, Energy, conductances

C = [1e-6, 1.0, 1e3, 1e6]


def random(*shape: int):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("c", C)
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_for_constant_coefficients_the_discrete_bound_is_the_error(dimension, boundary, c):
    """q - a grad u and c (p - u) are then a multiple of grad phi and phi, which one transform finds."""
    D, shape = domain(dimension, boundary), (7, 6, 4)[:dimension]
    f, a = random(3, 1, *shape), torch.full((3, 1, *shape), 2.0, dtype=torch.float64)
    reaction = torch.full_like(a, c)
    u = solve_assembled(a, f, D, reaction)
    for v in (torch.zeros_like(u), u * (1 + 0.1 * random(*u.shape))):
        bound = energy_bound(v, a, f, D, reaction=c).value
        # A reaction below 1 % of the smallest eigenvalue is left out of the transform.
        torch.testing.assert_close(bound, Energy(D, a, reaction)(u - v), rtol=1e-8 + c * (c < 1e-2), atol=0)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("c", [*C, "two_phase", "somewhere"])
def test_effectivities_stay_small_and_cycles_bring_them_to_one(boundary, c):
    D, prior = domain(2, boundary, (1.0, 1.0, 1.0)), PRIORS["contrast 100"]
    a = prior.sample(D, (12, 12), 1, range(8))
    reaction = torch.full_like(a, c) if isinstance(c, float) else prior.sample(D, (12, 12), 2, range(8)).square()
    if c == "somewhere":
        reaction = torch.where(reaction > 1, reaction, 0.0)
    f = random(8, 1, 12, 12)
    load = f.flatten(1) / f[0].numel()
    u = solve_network(*network(a, reaction, D), load).view_as(f)
    v = u * (1 + 0.05 * torch.sin(7 * u / u.abs().amax()))
    true, size = Energy(D, a, reaction)(u - v), Energy(D, a, reaction)(u)
    effectivity = [energy_bound(v, a, f, D, reaction=reaction, tighten=t).value / true for t in (0, 1, 2, 4)]
    assert bool((torch.stack(effectivity) > 1 - 1e-9 * size / true).all())
    assert all(bool((after <= before * (1 + 1e-9)).all()) for before, after in itertools.pairwise(effectivity))
    assert float(effectivity[0].median()) < 5
    assert float(effectivity[3].max()) < 1.1


@pytest.mark.parametrize("c", [0.0, 1.0, 1e4])
def test_the_continuum_form_converges_to_the_solution_of_the_pde(c):
    """u = cos(pi x) cos(2 pi y) for f = (5 pi^2 + c) u: the bound of the discrete solution is O(h), relative to u."""
    D, relative = Domain.unit(2, "neumann"), []
    for n in (16, 32, 64):
        x = (torch.arange(n, dtype=torch.float64) + 0.5) / n
        u = (torch.cos(math.pi * x)[:, None] * torch.cos(2 * math.pi * x))[None, None]
        # Means over cells and what deviates from them, for a product of waves.
        damp = math.prod(math.sin(k / 2 / n) / (k / 2 / n) for k in (math.pi, 2 * math.pi))
        factor = 5 * math.pi**2 + c
        squares = [(1 + torch.cos(2 * k * x) * math.sin(k / n) / (k / n)) / 2 for k in (math.pi, 2 * math.pi)]
        deviation = ((squares[0][:, None] * squares[1])[None, None] - (damp * u).square()).clamp_min(0)
        oscillation = factor * deviation.sqrt() / n
        a = torch.ones_like(u)
        bound = energy_bound(u, a, factor * damp * u, D, reaction=c, oscillation=oscillation, form="continuum")
        assert float(bound.least) <= math.sqrt(factor / 4)
        relative.append(float(bound.value) / math.sqrt(factor / 4))
    assert relative[2] < 0.55 * relative[1] < 0.3 * relative[0]
    assert relative[2] < 0.12


@pytest.mark.parametrize("boundary", ["neumann", "mixed"])
@pytest.mark.parametrize("form", ["discrete", "continuum"])
@pytest.mark.parametrize("c", [1.0, "somewhere"])
def test_is_differentiable(form, boundary, c):
    D, a, f, v = domain(2, boundary), random(1, 1, 4, 3).exp(), random(1, 1, 4, 3), random(2, 1, 4, 3)[1:]
    reaction = c if c == 1.0 else (5 * f).clamp_min(0)
    assert torch.autograd.gradcheck(
        lambda w: energy_bound(w, a, f, D, reaction=reaction, form=form).value, v.requires_grad_()
    )


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_every_flow_is_brought_to_equilibrium_and_nothing_is_taken_where_nothing_reacts(dimension, boundary):
    D, shape = domain(dimension, boundary), (6, 5, 4)[:dimension]
    load = random(3, 1, *shape)
    c = (1e3 * random(3, 1, *shape)).exp2().clamp_max(1e6) * (load > 0)
    faces = conductances(torch.ones_like(load), D)
    q = equilibrate((*faces, torch.zeros_like(load)), load, D, c)
    assert float(excess(q, load, D).abs().max()) < 1e-10
    assert bool((q[-1][c == 0] == 0).all())


def test_what_rounding_leaves_is_bounded_in_the_dual_norm():
    """sup (r, w) / |||w||| = sqrt(r A^-1 r)."""
    for D in (Domain([1.0, 2.0], "neumann"), Domain([1.0, 2.0])):
        r, a = random(4, 1, 5, 4), random(4, 1, 5, 4).exp()
        c = torch.where(r > 0.5, 1e-3, 0.0).double()
        A = FiniteVolume.assemble(a, D, c)
        solved = torch.linalg.solve(A.dense(), r.flatten(1)[..., None])[..., 0]
        assert bool(((r.flatten(1) * solved).sum(1).sqrt() <= dual_norm(r, a, c, D)).all())


@pytest.mark.parametrize("boundary", ["neumann", "mixed"])
@pytest.mark.parametrize("c", C)
def test_multigrid_takes_no_more_iterations_with_a_reaction(boundary, c):
    D = domain(2, boundary, (1.0, 1.0, 1.0))
    a, f = PRIORS["two_phase"].sample(D, (32, 32), 3, range(2)), random(2, 1, 32, 32)
    A = FiniteVolume.assemble(a, D, torch.full_like(a, c))
    assert not A.floating
    assert conjugate_gradients(A, f, geometric_multigrid(A), weight=1 / A.diagonal, tolerance=1e-8).iterations <= 14
    B = geometric_multigrid(A)
    one, other = random(4, 1, 32, 32).split(2)
    torch.testing.assert_close((B(one) * other).sum((1, 2, 3)), (one * B(other)).sum((1, 2, 3)))


def test_reactions_of_cells_add_on_coarser_grids():
    c = random(1, 1, 4, 6).abs()
    A = FiniteVolume.assemble(torch.ones_like(c), Domain.unit(2), c)
    coarse = A.coarsen((0, 1)).reaction
    assert coarse is not None
    torch.testing.assert_close(coarse.sum(), c.sum() / 24)


@pytest.mark.parametrize(
    ("reaction", "sentence"),
    [(-1.0, "nowhere negative"), (torch.ones(1, 1, 3, 3), "reaction's shape"), (math.inf, "must be finite")],
)
def test_wrong_reactions_are_refused_with_a_sentence(reaction, sentence):
    with pytest.raises(ValueError, match=sentence):
        energy_bound(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 4, 4), reaction=reaction)


def test_without_a_dirichlet_face_samples_with_and_without_reaction_do_not_mix():
    a = torch.ones(2, 1, 4, 4)
    with pytest.raises(ValueError, match="batches of their own"):
        energy_bound(a, a, 0.0, Domain.unit(2, "neumann"), reaction=torch.stack([a[0], 0 * a[1]]))
