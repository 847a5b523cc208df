"""What cells add up to: the energy error, and its bound."""

import pytest
import torch

from vcycle.analysis import Case
from vcycle.jobs.locality import with_local
from vcycle.problems import Burgers, Darcy, TwoPhase
from vcycle.spaces import Domain
from vcycle.surrogate import Surrogate


def identity(x):
    return x


def surrogate(problem):
    return Surrogate(identity, problem.domain, problem.input_names, problem.output_names, problem=problem)


@pytest.mark.parametrize("domain", [Domain.unit(1), Domain.unit(2, ["dirichlet", "periodic"]), Domain.unit(3)])
def test_cells_add_up_to_the_squares_of_error_and_bound(domain):
    problem = Darcy(domain, TwoPhase(1.0, 100.0))
    a = problem.sample((16,) * domain.dimension, 0, range(2))
    u = problem.solve(a).value
    v = u * (1 + 0.1 * torch.rand(u.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    cases = tuple(Case("", *fields) for fields in zip(a, u, v, strict=True))
    local = torch.stack([case.local for case in with_local(surrogate(problem), cases)])
    total = local.flatten(2).sum(2)
    torch.testing.assert_close(total[:, 0].sqrt(), problem.energy_norm(a)(v - u), rtol=1e-9, atol=0)
    assert (total[:, 1] >= total[:, 0]).all()


def test_where_no_bound_is_known_nothing_is_shown():
    x = torch.zeros(1, 8)
    case = Case("", x, x, x)
    assert with_local(surrogate(Burgers()), (case,)) == (case,)
