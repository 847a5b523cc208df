import itertools

import pytest
import torch

from vcycle.hybrid import plug_and_play


def soft(y: torch.Tensor, threshold: float) -> torch.Tensor:
    return y.sign() * (y.abs() - threshold).clamp_min(0)


def problem():
    torch.manual_seed(0)
    A = torch.randn(12, 20, dtype=torch.float64) / 12**0.5
    x = torch.zeros(3, 20, dtype=torch.float64)
    x[:, ::7] = torch.randn(3, 3, dtype=torch.float64)
    return A, x @ A.mT


def test_with_soft_thresholds_it_solves_the_lasso():
    """Optimality: A^T (A x - y) = -lambda sign(x) where x is not 0, and no larger than lambda elsewhere."""
    A, y = problem()
    t = 1 / float(torch.linalg.matrix_norm(A, 2)) ** 2
    penalty = 0.02
    done = plug_and_play(A, y, lambda v: soft(v, t * penalty), tolerance=1e-13, most=20000)
    assert bool(done.converged.all())
    gradient = (done.value @ A.mT - y) @ A
    support = done.value.abs() > 1e-9
    torch.testing.assert_close(gradient[support], -penalty * done.value[support].sign(), rtol=1e-6, atol=0)
    assert float(gradient.abs().max()) <= penalty * (1 + 1e-6)


def test_no_step_raises_the_functional_even_if_the_prior_is_not_convex():
    """Hard thresholds are the proximal operator of level^2 / 2 times the number of entries that are not 0."""
    A, y = problem()
    t, level = 1 / float(torch.linalg.matrix_norm(A, 2)) ** 2, 0.2
    values = []
    for most in range(1, 30):
        x = plug_and_play(A, y, lambda v: torch.where(v.abs() > level, v, 0.0), tolerance=0.0, most=most).value
        values.append(t / 2 * (x @ A.mT - y).square().sum(1) + level**2 / 2 * (x != 0).sum(1))
    for before, after in itertools.pairwise(values):
        assert bool((after <= before + 1e-13).all())


def test_steps_that_may_diverge_are_refused():
    A, y = problem()
    with pytest.raises(ValueError, match="may diverge"):
        plug_and_play(A, y, lambda v: v, step=10.0)
