"""Steps are halved where that helps, and no longer."""

import math

import torch

from vcycle.solvers import halve_steps

ONE = torch.ones(1, 1, 4, dtype=torch.float64)


def marching(unstable: int) -> tuple[list[int], object]:
    """A scheme of second order, without numbers in its first halvings."""
    asked: list[int] = []

    def march(inputs: torch.Tensor, halvings: int) -> torch.Tensor:
        asked.append(halvings)
        return inputs * (math.nan if halvings < unstable else 1 + 0.1 * 4.0**-halvings)

    return asked, march


def test_the_residual_is_the_error():
    asked, march = marching(0)
    solution = halve_steps(march, ONE, 2, 1e-4)
    assert solution.converged.all() and asked == list(range(solution.iterations + 1))
    error = float((solution.value - ONE).norm() / solution.value.norm())
    assert math.isclose(error, float(solution.residual), rel_tol=1e-2)


def test_the_residual_is_the_error_though_the_first_steps_are_hardly_larger():
    def march(inputs: torch.Tensor, halvings: int) -> torch.Tensor:
        return inputs * (1 + 0.1 * (1.0 if halvings == 0 else 1.2**-3 * 8.0 ** (1 - halvings)))

    for most in (1, 2, 3):
        solution = halve_steps(march, ONE, 3, 1e-9, most, first=1.2)
        error = float((solution.value - ONE).norm() / solution.value.norm())
        assert math.isclose(error, float(solution.residual), rel_tol=1e-12)


def test_a_sample_that_a_few_halvings_rescue_is_solved():
    for unstable in (1, 2):
        asked, march = marching(unstable)
        assert halve_steps(march, ONE, 2, 1e-4).converged.all()
        assert len(asked) < 8


def test_a_sample_without_numbers_is_given_up():
    asked, march = marching(100)
    solution = halve_steps(march, ONE, 2, 1e-4)
    assert asked == [0, 1, 2]
    assert not solution.converged.any() and solution.residual.isinf().all()
    assert "infinite where a state is not admissible" in solution.message


def test_a_sample_that_is_none_is_not_tried():
    asked, march = marching(0)
    assert not halve_steps(march, math.nan * ONE, 2, 1e-4).converged.any()
    assert asked == [0]
