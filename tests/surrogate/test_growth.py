"""(F(u) - F(v), u - v) <= mu(v) ||u - v||^2 for any two states, near or far."""

import pytest
import torch

from vcycle.problems import (
    AdvectionDiffusion,
    AllenCahn,
    Burgers,
    CahnHilliard,
    FisherKPP,
    Heat,
    KdV,
    KuramotoSivashinsky,
    NavierStokes,
    SwiftHohenberg,
)
from vcycle.spaces import Domain
from vcycle.surrogate.growth import growth_rate

WALL = Domain([1.0, 2.0], [("dirichlet", "neumann"), "dirichlet"])
CASES = [
    (Burgers(drift=1.0), (32,)),
    (KdV(), (32,)),
    (KuramotoSivashinsky(), (33,)),
    (AdvectionDiffusion(diffusivity=0.0), (32,)),
    (
        AdvectionDiffusion(Domain.unit(2, "periodic"), velocity=(1.0, -2.0), diffusivity=((0.1, 0.05), (0.05, 0.1))),
        (8, 9),
    ),
    (Heat(WALL, reaction=3.0), (8, 8)),
    (AllenCahn(), (12, 12)),
    (AllenCahn(WALL), (9, 12)),
    (SwiftHohenberg(quadratic=1.5), (12, 12)),
    (NavierStokes(drag=0.1), (16, 12)),
]


def sides(problem, u, v):
    """(F(u) - F(v), u - v) and ||u - v||^2, as sums over the grid."""
    e = u - v
    equation = problem.equation_on(tuple(u.shape[2:]))
    return ((equation.rate(u) - equation.rate(v)) * e).flatten(1).sum(1), e.square().flatten(1).sum(1)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].name)
def test_no_two_states_part_faster(case):
    problem, shape = case
    rate, sharp = growth_rate(problem, shape), 0.0
    v = torch.cat(
        [problem.sample(shape, 1, range(20)), torch.randn(20, 1, *shape, generator=torch.manual_seed(1)).double()]
    )
    mu = rate(v)
    for size in (1e-3, 1.0, 30.0):
        for seed in range(5):
            smooth = problem.gaussian().standard(shape, seed, range(40))
            noise = torch.randn(v.shape, generator=torch.manual_seed(seed), dtype=torch.float64)
            for e in (smooth, noise, torch.ones_like(v)):
                part, square = sides(problem, v + size * e, v)
                assert bool((part <= mu * square + 1e-9 * (1 + mu.abs()) * square).all())
                sharp = max(sharp, float((part / square / mu.abs().clamp_min(1e-300)).max()))
    if problem.name in ("allen_cahn", "heat"):
        assert sharp > 0.5


def test_states_that_are_nowhere_negative_part_no_faster():
    problem = FisherKPP()
    rate = growth_rate(problem, (32,))
    u, v = (problem.sample((32,), seed, range(30)) for seed in (1, 2))
    for w in (v, v - 0.3, 3 * v):
        part, square = sides(problem, u, w)
        assert bool((part <= rate(w) * square * (1 + 1e-6)).all())


def test_most_dangerous_direction_of_a_front():
    """Errors that sit where a wave steepens grow at the rate, up to viscosity."""
    problem, n = Burgers(viscosity=1e-6), 192
    x = (torch.arange(n).double() + 0.5) / n
    v = torch.sin(2 * torch.pi * x)[None, None]
    e = 1e-6 * torch.exp(-0.5 * ((x - 0.5) / 0.03) ** 2)[None, None]
    part, square = sides(problem, v + e, v)
    assert 0.95 < float(part / square / growth_rate(problem, (n,))(v)) <= 1.0


@pytest.mark.parametrize(
    "problem", [CahnHilliard(), Burgers(Domain.unit(2, "periodic")), KuramotoSivashinsky(form="combustion")]
)
def test_where_no_rate_is_known_none_is_given(problem):
    assert growth_rate(problem, (8,) * problem.domain.dimension) is None
