"""Hundreds of rollouts: whatever is proposed, what is verified is within the limit of the equation's trajectory."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from vcycle.problems import (
    PROBLEMS,
    AdvectionDiffusion,
    AllenCahn,
    Burgers,
    Darcy,
    Evolution,
    FisherKPP,
    Heat,
    ImplicitHeat,
    KdV,
    KuramotoSivashinsky,
    NavierStokes,
    SwiftHohenberg,
    TwoPhase,
)
from vcycle.problems.time_dependent import TimeDependent
from vcycle.spaces import L2, Domain, per_sample
from vcycle.surrogate import Surrogate

WALL = Domain.unit(2, [("dirichlet", "neumann"), "dirichlet"])
CASES = [
    (Burgers(time=0.02, viscosity=0.02), (32,)),
    (Burgers(time=0.04, viscosity=0.05, snapshots=2, drift=0.5), (32,)),
    (KdV(time=0.02), (48,)),
    (KuramotoSivashinsky(time=0.2, history=2), (48,)),
    (AdvectionDiffusion(time=0.05), (32,)),
    (Heat(WALL, time=0.1), (8, 8)),
    (Heat(Domain.unit(1, "neumann"), time=0.1, reaction=2.0), (16,)),
    (AllenCahn(time=0.1), (12, 12)),
    (AllenCahn(Domain.unit(1), time=0.2, snapshots=2), (24,)),
    (FisherKPP(time=0.1), (32,)),
    (SwiftHohenberg(Domain([12.0], "neumann"), time=0.3, quadratic=1.0), (24,)),
    (NavierStokes(time=0.1), (16, 16)),
    (ImplicitHeat(), (8, 8)),
    (ImplicitHeat(WALL, prior=TwoPhase(0.01, 10.0), step=0.1), (9, 7)),
    (ImplicitHeat(Domain.unit(2, "neumann")), (8, 8)),
    (ImplicitHeat(Domain.unit(3)), (4, 4, 5)),
]
WINDOWS = 5


def label(case) -> str:
    return f"{case[0].name}-{CASES.index(case)}"


def surrogate(network, problem) -> Surrogate:
    return Surrogate(network, problem.domain, problem.input_names, problem.output_names, problem=problem)


def follow(problem, x, u):
    states = torch.cat([x, u], 1)[:, -x.shape[1] :]
    return torch.cat([x[:, :1], u], 1) if isinstance(problem, ImplicitHeat) else states


def states_of(problem) -> int:
    """Channels of a state."""
    return len(problem.components) if isinstance(problem, Evolution) else 1


def truth(problem, x):
    """(b, t, c, *grid), far more accurate than any limit."""
    out = []
    for _ in range(WINDOWS):
        u = problem.solve(x, 1e-10).value
        out.append(u.unflatten(1, (u.shape[1] // states_of(problem), -1)))
        x = follow(problem, x, u)
    return torch.cat(out, 1)


def relative(problem, v, u):
    """(b, t)."""
    return L2(problem.domain).relative(v.flatten(0, 1), u.flatten(0, 1)).view(v.shape[:2])


def noise(u, seed=1):
    return torch.randn(u.shape, generator=torch.manual_seed(seed), dtype=torch.float64)


def size(u):
    return per_sample(u.square().flatten(1).mean(1).sqrt(), u)


def drift(u):
    return size(u) * torch.cos(torch.linspace(0.1, 2.9, u.shape[-1], dtype=torch.float64)).expand(u.shape)


def untrained(x, u):
    d = x.ndim - 2
    kernel = noise(torch.empty(u.shape[1], x.shape[1], *[3] * d), 3)
    return torch.tanh((F.conv1d, F.conv2d, F.conv3d)[d - 1](x, kernel, padding=1))


GOOD = {
    "exact": lambda x, u: u,
    "slightly drifting": lambda x, u: u + 1e-5 * drift(u),
    "slightly noisy": lambda x, u: u + 1e-5 * size(u) * noise(u),
}
DOUBTFUL = {
    "drifting": lambda x, u: u + 3e-4 * drift(u),
    "shrinking": lambda x, u: 0.9995 * u,
    "noisy": lambda x, u: u + 3e-4 * size(u) * noise(u),
    "finest waves": lambda x, u: u + 1e-3 * size(u) * (torch.arange(u.shape[-1]) % 2 * 2.0 - 1),
    "wrong at first": lambda x, u: u,
    "wrong at last": lambda x, u: u,
}
BAD = {
    "lazy": lambda x, u: x[:, -1:].expand(u.shape) + 0.1 * size(u),
    "untrained": untrained,
    "nan": lambda x, u: torch.where(torch.arange(u.shape[-1]) == 3, torch.nan, u),
    "infinite": lambda x, u: torch.full_like(u, torch.inf),
    "huge": lambda x, u: 1e200 * torch.sign(noise(u, 3)),
    "tiny": lambda x, u: 1e-200 * u,
    "opposite": lambda x, u: -u,
}
NETWORKS = GOOD | DOUBTFUL | BAD


def one_each(problem):
    """Every sample of a batch has a network of its own, for better or worse."""
    calls = iter(range(WINDOWS))

    def network(x):
        u, k = problem.solve(x).value, next(calls)
        out = [f(*both) for f, both in zip(NETWORKS.values(), zip(x.split(1), u.split(1), strict=True), strict=True)]
        for name, wrong in (("wrong at first", k == 0), ("wrong at last", k == WINDOWS - 1)):
            if wrong:
                out[list(NETWORKS).index(name)] *= 1.3
        return torch.cat(out)

    return network


@pytest.mark.parametrize("limit", [1e-2, 1e-3])
@pytest.mark.parametrize("case", CASES, ids=label)
def test_whatever_is_proposed_the_trajectory_is_within_the_limit(case, limit):
    """16 equations x 2 limits x 16 networks x 5 windows."""
    problem, shape = case
    x = problem.sample(shape, 7, range(len(NETWORKS)))
    found = surrogate(one_each(problem), problem).march(x, WINDOWS, limit)
    true = relative(problem, found.values, truth(problem, x))
    assert found.kind == ("bound" if isinstance(problem, ImplicitHeat) else "indicator")
    assert bool(found.verified.all()), found.message
    assert bool((found.error <= limit).all())
    beyond = (true > found.error * (1 + 1e-9)).any(1)
    assert not bool(beyond.any()), [name for name, row in zip(NETWORKS, beyond, strict=True) if row]
    assert found.proposals == len(x) * WINDOWS
    assert int(found.solved.sum()) <= found.solves <= 2 * len(x) * WINDOWS
    taken = dict(zip(NETWORKS, (~found.solved).sum(1).tolist(), strict=True))
    assert not any(taken[name] for name in BAD)
    assert taken["exact"] >= WINDOWS - 2
    assert limit < 1e-2 or sum(taken[name] for name in GOOD) > len(GOOD) * WINDOWS / 2, taken
    assert taken["wrong at first"] < WINDOWS and taken["wrong at last"] < WINDOWS


def test_the_reference_is_the_solver_window_by_window():
    problem, shape = CASES[1]
    x = problem.sample(shape, 7, range(2))
    states = surrogate(torch.zeros_like, problem).reference(x, WINDOWS)
    assert states.shape == (2, WINDOWS, 2, *shape)
    assert float(relative(problem, states.flatten(1, 2)[:, :, None], truth(problem, x)).max()) < 1e-5


def test_what_grows_beyond_the_limit_is_said():
    """A limit below what the solver vouches for: everything is solved, and nothing is verified."""
    problem, shape = CASES[0]
    x = problem.sample(shape, 7, range(2))
    found = surrogate(lambda y: problem.solve(y).value, problem).march(x, 4, 1e-12)
    assert not bool(found.verified.any()) and bool(found.solved.all())
    assert found.message.startswith("NOT verified: 2 of 2 samples may be off by more than 1e-12")


UNJUDGED = {"wave", "cahn_hilliard", "gray_scott", "large_eddy"}


@pytest.mark.parametrize("name", [name for name, kind in PROBLEMS.items() if issubclass(kind, TimeDependent)])
def test_every_problem_in_time_is_judged_or_refused_with_a_sentence(name):
    problem = PROBLEMS[name]()
    judged = isinstance(problem, Evolution) and name not in UNJUDGED
    n = 16 if problem.domain.dimension == 1 else 8
    x = torch.ones(1, len(problem.input_names), *(n,) * problem.domain.dimension).double()
    if judged:
        assert surrogate(torch.zeros_like, replace(problem, time=1e-3)).reference(x, 1).shape[1] == 1
        return
    with pytest.raises(ValueError, match="cannot be solved in steps: it is not known how fast its errors grow"):
        surrogate(torch.zeros_like, problem).march(x, 1)


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (Burgers(refinement=2), "finer grids than its states"),
        (Burgers(Domain.unit(2, "periodic")), "how fast its errors grow"),
        (KuramotoSivashinsky(form="combustion"), "how fast its errors grow"),
        (Darcy(), "cannot be solved in steps"),
    ],
)
def test_what_has_no_judge_is_refused(problem, words):
    x = torch.ones(1, len(problem.input_names), *(8,) * problem.domain.dimension).double()
    with pytest.raises(ValueError, match=words):
        surrogate(torch.zeros_like, problem).march(x, 1)


def test_data_without_an_equation_is_refused():
    plain = Surrogate(torch.zeros_like, Domain.unit(1), ("u_0",), ("u_1",))
    with pytest.raises(ValueError, match="without an equation"):
        plain.march(torch.ones(1, 1, 8), 2)
