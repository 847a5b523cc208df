"""Where the error of a sample sits, and where the bound says it does."""

from dataclasses import replace

import torch

from vcycle.analysis import Case
from vcycle.hybrid import energy_bound
from vcycle.hybrid.equation import Discrete
from vcycle.problems import Diffusion
from vcycle.surrogate import Surrogate


def with_local(surrogate: Surrogate, cases: tuple[Case, ...]) -> tuple[Case, ...]:
    """The samples with energy error and bound of every cell, where the problem has a bound."""
    problem = surrogate.problem
    if not isinstance(problem, Diffusion) or not all(bool(case.prediction.isfinite().all()) for case in cases):
        return cases
    inputs = torch.stack([case.inputs for case in cases]).double()
    u, v = (torch.stack([case.reference for case in cases]), torch.stack([case.prediction for case in cases]))
    (a, f), c = problem.fields(inputs), problem.reaction(inputs)
    bound = energy_bound(v, a, f, problem.domain, reaction=c).cells
    error = Discrete(a.double(), c, problem.domain).square(v - u)
    local = torch.cat([error, bound], 1)
    return tuple(replace(case, local=one) for case, one in zip(cases, local, strict=True))
