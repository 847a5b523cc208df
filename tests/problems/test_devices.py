"""Whatever lies on a device is answered there, with the numbers of the processor up to rounding."""

import pytest
import torch

from problems.test_problems import VARIANTS, name, quick, shape
from references.some_gpu import some_gpu
from vcycle.problems import Problem


@pytest.mark.parametrize("problem", VARIANTS, ids=name)
def test_a_problem_answers_where_it_was_asked(problem: Problem):
    """Solution, residual, and the distance from the second solver; labels and their checks are those of the CPU."""
    problem = quick(problem)
    inputs = problem.sample(shape(problem, 8 if problem.domain.dimension == 3 else 16), 0, range(2))
    expected = problem.solve(inputs)
    with some_gpu() as gpu:
        there = inputs.to(gpu)
        solution = problem.solve(there)
        residual, difference = problem.residual(there, solution.value), problem.verify(there, solution.value)
        for part, numbers in {**vars(solution), "residual()": residual, "verify()": difference}.items():
            if isinstance(numbers, torch.Tensor):
                assert numbers.device == gpu, f"{part} lies on {numbers.device}"
        scale = expected.value.norm()
        assert float((solution.value.cpu() - expected.value).norm() / scale) <= 1e-9
        assert solution.iterations == expected.iterations
        torch.testing.assert_close(residual.cpu(), problem.residual(inputs, expected.value), rtol=1e-3, atol=1e-9)
        assert bool((difference.cpu() <= problem.agreement).all())
