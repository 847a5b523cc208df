"""Marches, defects and bounds over time lie where their states lie, with the numbers of the processor."""

import pytest
import torch
from torch import Tensor

from references.some_gpu import some_gpu
from vcycle.hybrid import MildDefect, march
from vcycle.hybrid.through_time import rollout_bound
from vcycle.hybrid.windows import solved
from vcycle.problems import AllenCahn, Burgers, Evolution, Heat, ImplicitHeat, NavierStokes, Problem
from vcycle.spaces import Domain
from vcycle.surrogate.growth import growth_rate
from vcycle.surrogate.in_time import windows_of

EVOLUTIONS = [
    Burgers(time=0.1),
    NavierStokes(time=0.5),
    AllenCahn(time=0.2),
    AllenCahn(Domain.unit(2, ["neumann", "dirichlet"]), time=0.2),
    Heat(Domain.unit(1), time=0.1),
]
BOXES = [Domain.unit(2), Domain([1.0, 2.0], ["periodic", "neumann"])]


def states(problem: Problem) -> Tensor:
    return problem.sample((16,) * problem.domain.dimension, 0, range(3))


@pytest.mark.parametrize("problem", EVOLUTIONS, ids=lambda p: f"{p.name} on {p.domain}")
def test_defects_of_evolutions(problem: Evolution):
    start = states(problem)
    end, shape = 0.9 * start, tuple(start.shape[2:])

    def found(start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
        rate = growth_rate(problem, shape, start.device)
        assert rate is not None
        return MildDefect(problem.equation_on(shape, start.device), problem.interval, rate)(start, end)

    expected = found(start, end)
    with some_gpu() as gpu:
        for there, here in zip(found(start.to(gpu), end.to(gpu)), expected, strict=True):
            assert there.device == gpu
            torch.testing.assert_close(there.cpu(), here, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("share", [1e-4, 1e-2, 1.0], ids=lambda share: f"off by {share:g}")
@pytest.mark.parametrize("problem", [*EVOLUTIONS[:2], ImplicitHeat()], ids=lambda p: p.name)
def test_marches(problem: Problem, share: float):
    """What is proposed is taken, left to the solver, or in some samples no number."""
    inputs = states(problem)

    def propose(x: Tensor) -> Tensor:
        u = problem.solve(x).value * (1 + share)
        return torch.where(u > 1.5, torch.nan, u) if share == 1.0 else u

    def window(device: torch.device):
        return windows_of(problem, tuple(inputs.shape[2:]), propose, device)

    judges, kind = window(inputs.device)
    expected, alone = march(judges, inputs, 3, 5e-3, kind), solved(judges, inputs, 2)
    with some_gpu() as gpu:
        judges, kind = window(gpu)
        found = march(judges, inputs.to(gpu), 3, 5e-3, kind)
        for name, part in vars(expected).items():
            there = vars(found)[name]
            if isinstance(part, Tensor):
                assert there.device == gpu, f"{name} lies on {there.device}"
                torch.testing.assert_close(there.cpu(), part, rtol=1e-6, atol=1e-12, equal_nan=True)
            else:
                assert there == part, name
        torch.testing.assert_close(solved(judges, inputs.to(gpu), 2).cpu(), alone, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("form", ["discrete", "continuum"])
@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
@pytest.mark.parametrize("domain", BOXES, ids=str)
def test_bounds_through_time(domain: Domain, interpolation, form):
    noise = torch.Generator().manual_seed(0)
    v, f = (torch.randn(2, n, 6, 8, dtype=torch.float64, generator=noise) for n in (5, 4))
    a = torch.rand(2, 1, 6, 8, dtype=torch.float64, generator=noise) + 0.5

    def bound(v: Tensor, a: Tensor, f: Tensor):
        return rollout_bound(v, a, f, 0.1, domain, form=form, interpolation=interpolation, tighten=1)

    expected = bound(v, a, f)
    with some_gpu() as gpu:
        found = bound(v.to(gpu), a.to(gpu), f.to(gpu))
        assert found.state.device == found.energy.device == gpu
        torch.testing.assert_close(found.state.cpu(), expected.state, rtol=1e-9, atol=0)
        torch.testing.assert_close(found.energy.cpu(), expected.energy, rtol=1e-9, atol=0)
