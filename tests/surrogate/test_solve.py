"""A thousand solves: whatever is proposed, the answer is the direct solution's, or it is refused."""

import pytest
import torch
import torch.nn.functional as F

from vcycle.problems import (
    Acoustics,
    AnisotropicDarcy,
    Burgers,
    Darcy,
    Elasticity,
    Euler,
    Heat,
    Helmholtz,
    MinimalSurface,
    NavierStokes,
    PLaplacian,
    Poisson,
    SemilinearElliptic,
    ShallowWater,
    Stokes,
    Wave,
)
from vcycle.spaces import L2, Domain
from vcycle.surrogate import Surrogate

WALL = Domain.unit(2, [("dirichlet", "neumann"), "dirichlet"])
PROBLEMS = [
    Darcy(),
    Poisson(),
    Helmholtz(omega=6.0),
    Helmholtz(Domain.unit(2), absorbing=False, omega=3.0, source="gaussian"),
    AnisotropicDarcy(WALL, source="gaussian"),
    Elasticity(),
    Stokes(),
    Stokes(drive="lid"),
    PLaplacian(WALL),
    PLaplacian(p=1.5, source="gaussian"),
    MinimalSurface(),
    SemilinearElliptic(),
]
SAMPLES = 12
TOLERANCE = 1e-7


def label(problem) -> str:
    return f"{problem.name}-{PROBLEMS.index(problem)}"


def network(x: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
    """An untrained one: two random convolutions."""
    g = torch.manual_seed(3)
    first = torch.randn(8, x.shape[1], 3, 3, generator=g, dtype=torch.float64)
    second = torch.randn(u.shape[1], 8, 3, 3, generator=g, dtype=torch.float64)
    return F.conv2d(torch.tanh(F.conv2d(x, first, padding=1)), second, padding=1)


def proposing(v: torch.Tensor, problem) -> Surrogate:
    return Surrogate(lambda _: v, problem.domain, problem.input_names, problem.output_names, problem=problem)


def proposals(x: torch.Tensor, u: torch.Tensor) -> dict[str, torch.Tensor]:
    size = u.abs().amax((1, 2, 3), keepdim=True)
    noise = torch.randn(u.shape, generator=torch.manual_seed(1), dtype=torch.float64)
    smooth = F.avg_pool2d(noise, 3, 1, 1)
    checkers = (torch.arange(u.shape[2])[:, None] + torch.arange(u.shape[3])) % 2 * 2.0 - 1
    nan = u.clone()
    nan[:, :, 3, 4] = torch.nan
    return {
        "trained": u + 0.02 * size * smooth,
        "noisy": u + 0.02 * size * noise,
        "untrained": network(x, u),
        "nan": nan,
        "huge": 1e300 * torch.sign(noise),
        "infinite": torch.where(noise > 1, torch.inf, u),
        "tiny": 1e-300 * u,
        "opposite": -u,
        "roughest": u + 1e3 * size * checkers,
    }


@pytest.mark.parametrize("problem", PROBLEMS, ids=label)
def test_whatever_is_proposed_the_answer_is_right_or_refused(problem):
    x = problem.sample((12, 12), 7, range(SAMPLES))
    exact = problem.solve(x, 1e-12 if problem.name != "stokes" else 1e-10).value
    without = proposing(exact, problem).solve(x, TOLERANCE, propose=False)
    for name, v in proposals(x, exact).items():
        result = proposing(v, problem).solve(x, TOLERANCE)
        assert result.kind == ("bound" if problem.name in ("darcy", "poisson") else "residual")
        assert bool(result.verified.all()), f"{name}: {result.message}"
        assert bool((result.error <= TOLERANCE).all())
        assert float(L2(problem.domain).relative(result.value, exact).max()) < 1e3 * TOLERANCE, name
        if name in ("nan", "infinite"):
            assert result.iterations == without.iterations, name
    assert proposing(exact, problem).solve(x, TOLERANCE).iterations <= 1


@pytest.mark.parametrize("problem", PROBLEMS[2:], ids=label)
def test_what_is_not_reached_is_said(problem):
    x = problem.sample((12, 12), 7, range(2))
    result = proposing(torch.zeros_like(problem.solve(x).value), problem).solve(x, 1e-25)
    assert not bool(result.verified.any())
    assert result.message.startswith("NOT verified: 2 of 2 samples have relative residuals above")


@pytest.mark.parametrize("problem", [Stokes(), *PROBLEMS[8:]], ids=lambda problem: problem.name)
def test_a_nearly_exact_proposal_saves_iterations(problem):
    x = problem.sample((16, 16), 1, range(3))
    u = problem.solve(x).value
    near = u * (1 + 1e-6 * torch.sin(torch.arange(16.0, dtype=torch.float64)))
    assert problem.solve(x, start=near).iterations < problem.solve(x).iterations


def test_one_bad_proposal_leaves_the_others_alone():
    problem = PLaplacian()
    x = problem.sample((16, 16), 1, range(3))
    u = problem.solve(x).value
    start = u.clone()
    start[1] = torch.nan
    solution = problem.solve(x, start=start)
    assert torch.equal(solution.value[[0, 2]], u[[0, 2]])
    torch.testing.assert_close(solution.value[1], u[1], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    "problem",
    [Burgers(), Burgers(refinement=2), Heat(), Wave(), ShallowWater(), Acoustics(), Euler(), NavierStokes()],
    ids=lambda problem: problem.name,
)
def test_problems_in_time_are_refused_and_march_is_advised_where_it_is_possible(problem):
    x = torch.ones(1, len(problem.input_names), *(8,) * problem.domain.dimension, dtype=torch.float64)
    surrogate = proposing(torch.ones(1, len(problem.output_names), *x.shape[2:]), problem)
    with pytest.raises(ValueError, match=r"runs in time.* or the problem's own solve") as refused:
        surrogate.solve(x)
    if "--steps" in str(refused.value):
        assert surrogate.march(x, 1).values.shape[0] == 1
    else:
        with pytest.raises(ValueError, match="cannot be solved in steps"):
            surrogate.march(x, 1)
