import pytest
import torch

from references.cases import PRIORS
from vcycle.operators import FiniteVolume, geometric_multigrid
from vcycle.solvers import richardson
from vcycle.spaces import Domain


@pytest.mark.parametrize("n", [32, 64, 128])
def test_an_iterated_vcycle_is_a_solver_at_every_size(n):
    D = Domain.unit(2)
    A = FiniteVolume.assemble(PRIORS["two_phase"].sample(D, (n, n), 1, range(2)), D)
    f = torch.ones(2, 1, n, n, dtype=torch.float64)
    solution = richardson(A, f, geometric_multigrid(A), tolerance=1e-8)
    assert bool(solution.converged.all())
    assert solution.iterations <= 40


def test_failure_names_the_better_solver():
    A = FiniteVolume.assemble(torch.ones(1, 1, 16, 16, dtype=torch.float64), Domain.unit(2))
    solution = richardson(A, torch.ones(1, 1, 16, 16, dtype=torch.float64), geometric_multigrid(A), most=1)
    assert "conjugate gradients" in solution.message
