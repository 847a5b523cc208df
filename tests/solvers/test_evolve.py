"""Integration to a tolerance: estimates are honest, samples do not see each other, failure gives advice."""

import math

import torch

from vcycle.solvers import FourierGrid, Semilinear, evolve
from vcycle.solvers.evolve import CHUNK_POINTS
from vcycle.spaces import Domain

GRID = FourierGrid(Domain.unit(1, "periodic"), (8,))


def constant(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64).view(-1, 1, 1).expand(-1, 1, 8)


def pointwise(linear: float, nonlinear) -> Semilinear:
    symbol = torch.tensor(linear, dtype=torch.float64)
    return Semilinear(GRID, symbol, lambda u_hat: GRID.transform(nonlinear(GRID.inverse(u_hat))))


LOGISTIC = pointwise(1.0, lambda u: -u * u)


def logistic(t: float, start: float) -> float:
    return 1 / (1 + (1 / start - 1) * math.exp(-t))


def test_the_estimate_is_the_error():
    for tolerance in (1e-4, 1e-9):
        solution = evolve(LOGISTIC, constant(0.1), 3.0, tolerance=tolerance)
        error = abs(solution.value[0, 0, 0].item() / logistic(3.0, 0.1) - 1)
        assert solution.converged.all()
        assert solution.residual.item() <= tolerance
        assert error < 2 * solution.residual.item() + 1e-13


def test_snapshots_are_the_states_on_the_way():
    solution = evolve(LOGISTIC, constant(0.1, 0.4), 0.5, 4, tolerance=1e-11)
    assert solution.value.shape == (2, 4, 8)
    for row, start in enumerate((0.1, 0.4)):
        for i in range(4):
            assert abs(solution.value[row, i, 3].item() - logistic(0.5 * (i + 1), start)) < 1e-10


def test_samples_do_not_see_each_other():
    """A sample that needs small steps leaves the others as they are."""
    hard = pointwise(0.0, lambda u: -(u**3))
    together, alone = (evolve(hard, constant(*values), 1.0, tolerance=1e-6) for values in ((0.1, 4.0), (0.1,)))
    assert together.converged.all()
    assert together.iterations > alone.iterations
    assert torch.equal(together.value[:1], alone.value)


def test_many_samples_are_cut_into_pieces():
    many = CHUNK_POINTS // 8 + 3
    solution = evolve(LOGISTIC, constant(*torch.linspace(0.1, 0.9, many).tolist()), 0.1, tolerance=1e-4)
    assert solution.value.shape == (many, 1, 8)
    assert solution.converged.shape == (many,)


def test_what_blows_up_is_said_to_have_failed():
    solution = evolve(pointwise(0.0, lambda u: u * u), constant(0.1, 10.0), 1.0, most=6)
    assert solution.converged.tolist() == [True, False]
    assert "1 of 2 samples missed the tolerance 1e-06 with 256 steps" in solution.message


def test_what_is_no_number_is_not_tried():
    solution = evolve(LOGISTIC, constant(math.nan, 0.3), 0.1, tolerance=1e-4)
    assert solution.converged.tolist() == [False, True]
    assert evolve(LOGISTIC, constant(math.inf), 0.1).iterations == 4


def test_nothing_is_gained_beyond_rounding():
    solution = evolve(LOGISTIC, constant(0.3), 0.1, tolerance=0.0)
    assert not solution.converged.any()
    assert solution.residual.item() < 1e-11
    assert solution.iterations <= 512


def counted(equation: Semilinear) -> tuple[Semilinear, list[int]]:
    """The equation, and how often its nonlinear part was asked for."""
    asked = [0]

    def nonlinear(u_hat: torch.Tensor) -> torch.Tensor:
        asked[0] += 1
        return equation.nonlinear(u_hat)

    return Semilinear(equation.grid, equation.linear, nonlinear), asked


def test_a_solution_that_blows_up_ends_the_halvings():
    """u_t = u^2 from 1 is infinite at t = 1, whatever the step: 65536 steps of four stages are not needed to see it."""
    equation, asked = counted(pointwise(0.0, lambda u: u * u))
    solution = evolve(equation, constant(1.0, 0.1), 2.0)
    assert solution.converged.tolist() == [False, True]
    assert asked[0] < 4 * 1500


def test_what_only_needs_smaller_steps_is_rescued():
    """Explicit stages are stable for rate * dt < 2.8 and overflow before: u_t = -rate (u - u^3 / 9), rate 500."""
    equation = pointwise(0.0, lambda u: -500.0 * (u + u**3 / 9))
    solution = evolve(equation, constant(3.0), 1.0, tolerance=1e-3)
    assert solution.converged.all()
    assert solution.iterations >= 256
    few = evolve(equation, constant(3.0), 1.0, tolerance=1e-3, most=3)
    assert not few.value.isfinite().all()
