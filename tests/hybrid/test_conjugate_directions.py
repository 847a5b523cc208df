import pytest
import torch

from vcycle.hybrid import conjugate_directions
from vcycle.operators import FiniteVolume, geometric_multigrid
from vcycle.problems import Darcy, HighContrast, TwoPhase
from vcycle.solvers import conjugate_gradients
from vcycle.spaces import Domain

CONTRASTS = [4.0, 1e6]


def system(contrast: float = 4.0, n: int = 24, batch: int = 3):
    problem = Darcy(prior=TwoPhase(1.0, contrast))
    A, load = problem.system(problem.sample((n, n), 3, range(batch)))
    torch.manual_seed(0)
    return A, torch.randn_like(load)


def inverse(A: FiniteVolume):
    matrix = torch.linalg.inv(A.dense())
    return lambda r: (matrix @ r.flatten(1)[..., None]).view_as(r)


def jacobi(A: FiniteVolume):
    return lambda r: r / A.diagonal


class History:
    """Calls a map and keeps count."""

    def __init__(self, f):
        self.f, self.calls = f, 0

    def __call__(self, r):
        self.calls += 1
        return self.f(r)


def hostile(A: FiniteVolume) -> dict:
    g = torch.Generator().manual_seed(1)
    B = inverse(A)
    flags = torch.zeros(3, 1, 1, 1, dtype=torch.bool)
    flags[1] = True
    return {
        "noise": lambda r: torch.randn(r.shape, generator=g, dtype=r.dtype),
        "zero": torch.zeros_like,
        "nan": lambda r: torch.full_like(r, torch.nan),
        "huge": lambda r: 1e300 * torch.sign(r),
        "uphill": lambda r: -B(r),
        "constant": torch.ones_like,
        "bounded": lambda r: torch.tanh(3 * B(r) / B(r).abs().amax((1, 2, 3), keepdim=True)),
        "one sample lost": lambda r: torch.where(flags, torch.nan, B(r)),
        "single precision": lambda r: B(r).float(),
    }


@pytest.mark.parametrize("contrast", CONTRASTS)
@pytest.mark.parametrize("name", hostile(system()[0]))
def test_the_energy_error_never_grows_and_every_map_converges(name, contrast):
    A, f = system(contrast)
    exact = inverse(A)(f)
    direction = hostile(A)[name]
    errors, u = [], torch.zeros_like(f)
    for most in range(1, 8):
        step = conjugate_directions(A, f, direction, geometric_multigrid(A), most=most, weight=1 / A.diagonal)
        u = step.solution.value
        errors.append(((u - exact) * A(u - exact)).sum((1, 2, 3)))
    first = (f * exact).sum((1, 2, 3))
    for before, after in zip([first, *errors], errors, strict=False):
        assert bool((after <= before * (1 + 1e-12) + 1e-24 * first).all())
    done = conjugate_directions(A, f, direction, geometric_multigrid(A), weight=1 / A.diagonal)
    assert bool(done.solution.converged.all()), done.solution.message
    assert bool((done.solution.value - exact).norm() <= 1e-5 * exact.norm())


@pytest.mark.parametrize("memory", [1, 2, 5])
def test_a_linear_positive_map_gives_conjugate_gradients(memory):
    A, f = system(100.0)
    B = geometric_multigrid(A)
    cg = conjugate_gradients(A, f, B, tolerance=1e-8)
    cd = conjugate_directions(A, f, B, B, memory=memory, tolerance=1e-8)
    assert cd.solution.iterations == cg.iterations
    assert bool((cd.turned == -1).all())
    few = [conjugate_gradients(A, f, B, most=5, tolerance=0.0), conjugate_directions(A, f, B, B, most=5).solution]
    torch.testing.assert_close(few[0].value, few[1].value, rtol=1e-9, atol=1e-12)


def test_the_exact_inverse_needs_one_step():
    A, f = system(1e6)
    done = conjugate_directions(A, f, inverse(A), jacobi(A), weight=1 / A.diagonal)
    assert done.solution.iterations == 1
    assert done.learned.tolist() == [1, 1, 1]


@pytest.mark.parametrize("name", ["noise", "zero", "nan", "constant"])
def test_a_useless_map_costs_the_race_and_nothing_else(name):
    """It loses the race against the V-cycle; what goes on are the conjugate gradients that have run beside it."""
    A, f = system()
    B = geometric_multigrid(A)
    plain = conjugate_gradients(A, f, B, tolerance=1e-8).iterations
    useless = History(hostile(A)[name])
    done = conjugate_directions(A, f, useless, B, race=3)
    assert done.turned.tolist() == [2, 2, 2]
    assert useless.calls == 3
    assert done.solution.iterations == plain


def test_samples_turn_by_themselves():
    A, f = system()
    done = conjugate_directions(A, f, hostile(A)["one sample lost"], geometric_multigrid(A))
    assert done.turned[0] == done.turned[2] == -1
    assert done.turned[1] >= 0
    assert bool(done.solution.converged.all())


def test_a_map_that_breaks_later_is_left_there():
    A, f = system()
    D = jacobi(A)
    plain = conjugate_directions(A, f, D, D, race=0).solution.iterations
    good = History(D)
    done = conjugate_directions(A, f, lambda r: good(r) if good.calls < 10 else torch.full_like(r, torch.nan), D)
    assert done.turned.tolist() == [10, 10, 10]
    assert bool(done.solution.converged.all())
    assert done.solution.iterations <= plain + 10


def test_patience_ends_however_much_single_steps_gain():
    A, f = system()
    D = jacobi(A)
    plain = conjugate_directions(A, f, D, D, race=0).solution.iterations
    done = conjugate_directions(A, f, D, D, race=0, patience=5)
    assert done.turned.tolist() == [5, 5, 5]
    assert bool(done.solution.converged.all())
    assert done.solution.iterations <= plain + 6


def test_every_trial_gains_half_of_what_steepest_descent_would():
    """With a trial in every step, whatever the map: the squared error falls by half of 1 - ((k - 1) / (k + 1))^2."""
    A, f = system(1e6)
    exact, D = inverse(A)(f), jacobi(A)
    scaled = A.dense() / (A.diagonal.flatten(1)[:, :, None] * A.diagonal.flatten(1)[:, None]).sqrt()
    eigenvalues = torch.linalg.eigvalsh(scaled)
    k = eigenvalues[:, -1] / eigenvalues[:, 0]
    before, share = (f * exact).sum((1, 2, 3)), (1 - ((k - 1) / (k + 1)) ** 2) / 2
    for most in (1, 2, 3):
        done = conjugate_directions(A, f, torch.ones_like, D, race=0, trial=1, most=most, memory=0)
        u = done.solution.value
        after = ((u - exact) * A(u - exact)).sum((1, 2, 3))
        assert bool((after <= before * (1 - share) * (1 + 1e-12)).all())
        before = after


def test_floating_systems_have_solutions_with_the_mean_of_the_start():
    domain = Domain.unit(2, "neumann")
    a = HighContrast(100.0).sample(domain, (16, 16), 0, range(2))
    A = FiniteVolume.assemble(a, domain)
    f = torch.randn(2, 1, 16, 16, dtype=torch.float64)
    f = f - f.mean((2, 3), keepdim=True)
    B = geometric_multigrid(A)
    done = conjugate_directions(A, f, lambda r: B(r) + 1.0, B, floating=True)
    assert bool(done.solution.converged.all())
    assert float(done.solution.value.mean((2, 3)).abs().max()) < 1e-12


def test_what_did_not_converge_is_said():
    A, f = system()
    done = conjugate_directions(A, f, torch.zeros_like, jacobi(A), most=3)
    assert not bool(done.solution.converged.any())
    assert "allow more iterations" in done.solution.message
