from typing import ClassVar

import pytest
import torch

from vcycle.data.labels import solve_samples
from vcycle.problems import Darcy
from vcycle.solvers import Solution


class Recorded(Darcy):
    """Keeps (batch size, most) of every solve, and lets sample 1 fail the first time."""

    calls: ClassVar[list[tuple[int, int]]] = []

    def solve(self, inputs, tolerance: float | None = None, most: int = 200) -> Solution:
        self.calls.append((len(inputs), most))
        solution = super().solve(inputs, tolerance, most)
        if len(inputs) > 1:
            solution.value[1] += 1e-6
        return solution


def test_only_what_missed_the_limit_is_solved_again():
    Recorded.calls.clear()
    labels = solve_samples(Recorded(), (16, 16), 0, range(4), torch.float64, 0)
    assert Recorded.calls == [(4, 200), (1, 1000)]
    assert labels.retried == (1,)
    assert labels.failures == ()
    assert max(labels.residuals) < 1e-9
    reference = solve_samples(Darcy(), (16, 16), 0, range(4), torch.float64, 0)
    torch.testing.assert_close(labels.fields.outputs, reference.fields.outputs, rtol=1e-8, atol=0)


def test_the_inputs_are_solved_as_they_are_stored():
    problem = Darcy(source="gaussian")
    labels = solve_samples(problem, (16, 16), 0, range(2), torch.float32, 1)
    residual = problem.residual(labels.fields.inputs.double(), labels.fields.outputs.double())
    assert labels.fields.inputs.dtype == torch.float32
    assert residual.max() < 1e-4  # the rounding of u, and nothing of a or f
    assert max(labels.residuals) < 1e-9
    assert sorted(labels.differences) == [0, 1]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -1.0])
def test_a_sample_that_makes_no_sense_is_left_out_alone(bad):
    class Spoiled(Darcy):
        def sample(self, shape, seed, indices):
            a = super().sample(shape, seed, indices)
            a[[index == 2 for index in indices], 0, 3, 3] = bad
            return a

    labels = solve_samples(Spoiled(), (16, 16), 0, range(5), torch.float64, 2)
    assert [failure.index for failure in labels.failures] == [2]
    assert labels.indices == (0, 1, 3, 4)
    assert len(labels.fields) == len(labels.residuals) == 4
    assert labels.fields.inputs.isfinite().all() and labels.fields.outputs.isfinite().all()
    assert sorted(labels.differences) == [0, 4]
