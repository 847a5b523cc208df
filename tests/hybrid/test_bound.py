import pytest
import torch

from references.cases import BOUNDARIES, PRIORS, domain
from references.q1 import energy_errors
from vcycle.hybrid import energy_bound
from vcycle.problems import Darcy
from vcycle.problems.assembled import solve_assembled
from vcycle.spaces import Domain, GaussianField, Grid


def darcy(D, prior):
    return Darcy(D, PRIORS[prior], "gaussian" if D.floating else "constant")


def functions(u, D, seed):
    """The discrete solution, zero, white noise of its size, a smooth perturbation of 5 %, a spike."""
    torch.manual_seed(seed)
    wave = GaussianField(D).sample(tuple(u.shape[2:]), seed, range(u.shape[0]))
    spike = torch.zeros_like(u)
    spike.flatten(1)[:, u[0].numel() // 2] = 1.0
    return {
        "solution": u,
        "zero": torch.zeros_like(u),
        "noise": torch.randn_like(u) * u.std(),
        "perturbed": u * (1 + 0.05 * wave / wave.std()),
        "spike": u + u.abs().amax() * spike,
    }


SHAPES = {1: [(2,), (3,), (17,)], 2: [(2, 2), (7, 4), (12, 12)], 3: [(2, 3, 2), (5, 4, 6)]}
DISCRETE = [
    (d, shape, boundary, prior) for d in SHAPES for shape in SHAPES[d] for boundary in BOUNDARIES for prior in PRIORS
]


@pytest.mark.parametrize(("dimension", "shape", "boundary", "prior"), DISCRETE)
def test_bounds_the_distance_to_the_discrete_solution(dimension, shape, boundary, prior):
    """8 shapes x 5 boundaries x 5 priors x 4 samples x 5 functions x 2: 8,000 cases against a direct solver."""
    D = domain(dimension, boundary)
    P = darcy(D, prior)
    inputs = P.sample(shape, 11, range(4))
    a, f = P.fields(inputs)
    exact = solve_assembled(a, f, D)
    v = torch.cat(list(functions(exact, D, 3).values()))
    a, f, exact, inputs = (t.repeat(len(v) // 4, *[1] * (t.ndim - 1)) for t in (a, f, exact, inputs))
    energy = P.energy_norm(inputs)
    true, size = energy(exact - v), energy(exact)
    for tighten in (0, 2):
        bound = energy_bound(v, a, f, D, tighten=tighten)
        assert bool((bound.value >= true * (1 - 1e-9) - 1e-8 * (size + energy(v))).all()), bound.value / true
        assert bool((bound.least <= size * (1 + 1e-7)).all()), bound.least / size


CONTINUUM = [
    (d, shape, boundary, prior)
    for d, shapes in {1: [(2,), (9,)], 2: [(2, 2), (5, 3), (6, 6)]}.items()
    for shape in shapes
    for boundary in BOUNDARIES
    for prior in PRIORS
]


@pytest.mark.parametrize(
    ("dimension", "shape", "boundary", "prior"), [*CONTINUUM, (3, (2, 3, 2), "mixed", "two_phase")]
)
def test_bounds_the_distance_to_the_solution_of_the_pde(dimension, shape, boundary, prior):
    """5 shapes x 5 boundaries x 5 priors x 4 samples x 5 functions: 2,500 cases against 8 times finer elements."""
    D = domain(dimension, boundary)
    P = darcy(D, prior)
    inputs = P.sample(shape, 11, range(4))
    a, f = P.fields(inputs)
    approximations = functions(P.solve(inputs).value, D, 5)
    v, count = torch.cat(list(approximations.values())), len(approximations)
    many_a, many_f = a.repeat(count, *[1] * (a.ndim - 1)), f.repeat(count, *[1] * (f.ndim - 1))
    bound = energy_bound(v, many_a, many_f, D, form="continuum")
    for i in range(4):
        rows = range(i, 4 * count, 4)
        fields = [bound.field[row, 0].numpy() for row in rows]
        *truths, size = energy_errors([*fields, 0 * fields[0]], a[i, 0].numpy(), f[i, 0].numpy(), D, finer=8)
        for name, row, true in zip(approximations, rows, truths, strict=True):
            assert float(bound.value[row]) >= true * (1 - 1e-9) - 1e-9 * size, (name, i, float(bound.value[row]), true)
            assert float(bound.least[row]) <= 1.03 * size, (name, i)


def test_effectivities_are_those_of_theory():
    """Contrast 4: close to 1 without tightening; contrast 100: one cycle; contrast 1e6: four cycles."""
    D = Domain.unit(2)
    for prior, tighten, worst in (("two_phase", 0, 1.2), ("contrast 100", 1, 1.06), ("contrast 1e6", 4, 1.11)):
        P = darcy(D, prior)
        a = P.sample((64, 64), 5, range(16))
        u = P.solve(a).value
        x, y = Grid(D, (64, 64)).mesh()
        v = u * (1 + 0.05 * torch.sin(2 * torch.pi * x) * torch.sin(torch.pi * y))
        bound, true = energy_bound(v, a, tighten=tighten).value, P.energy_norm(a)(v - u)
        # u is not the exact solution either: its own bound says by how much.
        assert bool((bound + energy_bound(u, a, tighten=2).value >= true).all())
        assert float((bound / true).max()) <= worst


def test_the_continuum_form_converges_with_the_grid_and_stays_within_a_factor_of_the_error():
    D, P = Domain.unit(2), darcy(Domain.unit(2), "lognormal")
    relative = []
    for n in (8, 16, 32, 64):
        a = P.sample((n, n), 0, range(2))
        u = P.solve(a).value
        relative.append(float((energy_bound(u, a, form="continuum").value / P.energy_norm(a)(u)).max()))
    assert relative[-1] < 0.6 * relative[-2] < 0.36 * relative[-3]
    a = P.sample((16, 16), 0, range(1))
    bound = energy_bound(P.solve(a).value, a, form="continuum")
    (true,) = energy_errors([bound.field[0, 0].numpy()], a[0, 0].numpy(), 0 * a[0, 0].numpy() + 1, D, finer=8)
    assert float(bound.value) < 1.6 * true


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("form", ["discrete", "continuum"])
def test_is_differentiable_and_its_gradient_leads_to_the_solution(form, boundary):
    D = domain(2, boundary)
    P = darcy(D, "two_phase")
    inputs = P.sample((4, 3), 0, range(1))
    a, f = P.fields(inputs)
    v = P.solve(inputs).value + 0.1 * torch.randn(1, 1, 4, 3, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda w: energy_bound(w, a, f, D, form=form).value, v.requires_grad_())
    assert torch.autograd.gradcheck(lambda w: energy_bound(w, a, f, D, form=form, tighten=1).value, v, atol=1e-4)
    u = P.solve(inputs).value.requires_grad_()
    energy_bound(u, a, f, D).value.sum().backward()
    assert bool(torch.isfinite(u.grad).all())


def test_a_single_precision_prediction_gets_the_same_bound_as_its_double_copy():
    a = Darcy().sample((16, 16), 0, range(2))
    v = torch.randn(2, 1, 16, 16)
    torch.testing.assert_close(energy_bound(v, a.float()).value, energy_bound(v.double(), a).value)


def test_a_form_or_a_number_of_cycles_that_does_not_exist_is_refused():
    one = torch.ones(1, 1, 4, 4)
    with pytest.raises((ValueError, TypeError), match="foo"):  # by the types where they are checked, else by a sentence
        energy_bound(one, one, form="foo")
    with pytest.raises(ValueError, match="number of V-cycles, got -1"):
        energy_bound(one, one, tighten=-1)


def test_scales_like_an_energy_norm():
    """-div(s a grad u) = s t f has the solution t u: its energy errors are sqrt(s) t times as large."""
    a, v = Darcy().sample((16, 16), 0, range(2)), torch.randn(2, 1, 16, 16, dtype=torch.float64)
    for form in ("discrete", "continuum"):
        one = energy_bound(v, a, form=form).value
        scaled = energy_bound(3 * v, 4 * a, 12.0, form=form).value
        torch.testing.assert_close(scaled, 6 * one)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((torch.ones(2, 1, 4, 4), torch.zeros(2, 1, 4, 4)), "positive and finite everywhere"),
        ((torch.ones(2, 1, 4, 4), torch.full((2, 1, 4, 4), torch.inf)), "positive and finite everywhere"),
        ((torch.ones(2, 1, 4, 4), torch.ones(2, 1, 4, 4), torch.nan), "source must be finite"),
        ((torch.ones(2, 1, 4, 4), torch.ones(2, 1, 5, 4)), "does not fit"),
        ((torch.ones(2, 2, 4, 4), torch.ones(2, 2, 4, 4)), "v must have shape"),
        ((torch.ones(2, 1, 4, 4), torch.ones(2, 1, 4, 4), 1.0, Domain.unit(2, "periodic")), "subtract its mean"),
    ],
)
def test_wrong_arguments_are_refused_with_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        energy_bound(*arguments)
