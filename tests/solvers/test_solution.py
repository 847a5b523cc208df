import torch

from vcycle.problems import Darcy, TwoPhase
from vcycle.solvers import Solution
from vcycle.solvers.solution import outcome


def solution(residuals, iterations, tolerance=1e-8):
    residual = torch.tensor(residuals, dtype=torch.float64)
    converged = residual <= tolerance
    message = outcome(residual, converged, iterations, tolerance)
    return Solution(residual.view(-1, 1, 1), residual, iterations, converged, message)


def test_a_joined_solution_speaks_of_the_whole_batch():
    parts = [solution([1e-9, 1e-3], 7), solution([2e-9], 5), solution([1e-1], 9)]
    whole = Solution.joined(parts, 1e-8)
    assert whole.value.shape == (4, 1, 1)
    assert whole.iterations == 9
    assert whole.converged.tolist() == [True, False, True, False]
    assert whole.message.startswith("2 of 4 samples missed the tolerance 1e-08 after 9 iterations")
    assert Solution.joined(parts[:1], 1e-8) is parts[0]


def test_a_batch_solved_in_parts_is_the_batch_solved_at_once(monkeypatch):
    problem = Darcy(prior=TwoPhase(1.0, 100.0))
    inputs = problem.sample((16, 16), 3, range(7))
    whole = problem.solve(inputs, 1e-10)
    monkeypatch.setattr("vcycle.problems.diffusion.PART", 3 * 256)
    parts = problem.solve(inputs, 1e-10)
    assert bool(parts.converged.all())
    torch.testing.assert_close(parts.value, whole.value, rtol=1e-7, atol=1e-9)
