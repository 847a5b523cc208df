"""Problems in time, window by window: who proposes, who judges, who solves."""

from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.hybrid import Judged, Kind, MildDefect, Window
from vcycle.hybrid.through_time import slowest_rate
from vcycle.problems import Evolution, ImplicitHeat, Problem
from vcycle.solvers import Solution
from vcycle.spaces import CPU, L2
from vcycle.surrogate.growth import growth_rate
from vcycle.surrogate.guarantee import guarantee

Inputs = Float[Tensor, "b i *grid"]
Values = Float[Tensor, "b c *grid"]
Propose = Callable[[Inputs], Values]


def windows_of(
    problem: Problem, shape: tuple[int, ...], propose: Propose, device: torch.device = CPU
) -> tuple[Window, Kind]:
    """What a window of the problem is on a grid, and whether its judge has a theorem ('bound') or estimates.

    Its inputs lie on the device.

    Raises ValueError for problems without a judge, in one sentence.
    """
    if isinstance(problem, ImplicitHeat):
        return _implicit_heat(problem, propose), "bound"
    rate = growth_rate(problem, shape, device) if isinstance(problem, Evolution) else None
    if not isinstance(problem, Evolution) or rate is None or problem.refinement > 1:
        grids = "" if rate is None else ", as it is solved on finer grids than its states have"
        raise ValueError(
            f"{problem.title} cannot be solved in steps: it is not known how fast its errors grow{grids}; use predict "
            "for the network's answer, or the problem's own solve for the reference solution"
        )
    defect = MildDefect(problem.equation_on(shape, device), problem.interval, rate)
    return _evolution(problem, defect, propose), "indicator"


def can_march(problem: Problem, shape: tuple[int, ...]) -> bool:
    """Whether `windows_of` finds a judge."""
    if not isinstance(problem, Evolution):
        return isinstance(problem, ImplicitHeat)
    return problem.refinement == 1 and growth_rate(problem, shape) is not None


def _evolution(problem: Evolution, defect: MildDefect, propose: Propose) -> Window:
    """Judged interval by interval; the solver is taken at its accuracy, or at its estimate if that is larger."""
    c, m, norm = len(problem.components), problem.snapshots, L2(problem.domain)

    def judge(inputs: Inputs, value: Values) -> Judged:
        states = torch.cat([inputs[:, -c:], value], 1).unflatten(1, (m + 1, c))
        found = defect(*(part.flatten(0, 1) for part in (states[:, :-1], states[:, 1:])))
        local, growth = (numbers.view(len(inputs), m) for numbers in found)
        return Judged(local, growth, norm(states.flatten(0, 1)).view(len(inputs), m + 1))

    def vouch(inputs: Inputs, solution: Solution) -> Judged:
        # The estimate is relative to all states of the window together.
        whole = solution.residual.clamp_min(problem.accuracy) * norm(solution.value)
        return replace(judge(inputs, solution.value), defect=whole[:, None].expand(-1, m))

    def follow(inputs: Inputs, value: Values) -> Inputs:
        return torch.cat([inputs, value], 1)[:, -inputs.shape[1] :]

    return Window(propose, judge, problem.solve, vouch, follow)


def _implicit_heat(problem: ImplicitHeat, propose: Propose) -> Window:
    """(1 + tau A) u = u_0 divides errors by at least 1 + tau lambda, lambda the smallest eigenvalue of A, and

    ||w|| <= (1 / tau + lambda)^(-1/2) |||w|||, the norm of the guaranteed bound.
    """
    norm, tau = L2(problem.domain), problem.step

    def judge(inputs: Inputs, value: Values) -> Judged:
        given = guarantee(problem, inputs, value, "discrete", 0)
        assert given is not None
        a, grid = inputs[:, :1], tuple(inputs.shape[2:])
        rate = (
            a.new_zeros(len(a), dtype=torch.float64)
            if problem.domain.floating
            else slowest_rate(a, problem.domain, grid, "discrete")
        )
        local = given.bound / (1 / tau + rate).sqrt()
        size = torch.stack([norm(inputs[:, 1:]), norm(value)], 1)
        return Judged(local[:, None], (1 / (1 + tau * rate))[:, None], size)

    def vouch(inputs: Inputs, solution: Solution) -> Judged:
        return judge(inputs, solution.value)

    def follow(inputs: Inputs, value: Values) -> Inputs:
        return torch.cat([inputs[:, :1], value], 1)

    return Window(propose, judge, problem.solve, vouch, follow)
