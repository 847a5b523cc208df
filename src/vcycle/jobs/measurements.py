"""The measurements of `vcycle evaluate`, one by one: what each needs and how many samples it takes."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.analysis import (
    AtResolution,
    Case,
    Cost,
    Effectivity,
    Errors,
    audit_resolutions,
    compare_cost,
    measure_errors,
)
from vcycle.analysis.wording import by, percent
from vcycle.data import Fields
from vcycle.jobs.trials import Trials, at_resolutions
from vcycle.problems import Diffusion, Problem
from vcycle.spaces import resample
from vcycle.surrogate import Surrogate

Inputs = Float[Tensor, "b i *grid"]
Field = Float[Tensor, "b c *grid"]
PerSample = Float[Tensor, " b"]
Shape = tuple[int, ...]

# As many samples as these finer measurements need; the errors use all.
AUDIT_SAMPLES, COST_SAMPLES = 16, 16


def errors(surrogate: Surrogate, problem: Problem | None, pairs: Fields, prediction: Field) -> Errors:
    known = isinstance(problem, Diffusion) and surrogate.placement == "cell"
    energy = problem.energy_norm(pairs.inputs) if known else None
    return measure_errors(prediction, pairs.outputs, surrogate.domain, surrogate.placement, energy)


def audit(
    surrogate: Surrogate,
    trials: Trials,
    trained: Shape,
    resolutions: Sequence[int | Sequence[int]] | None,
    seed: int,
    progress: bool = False,
) -> tuple[AtResolution, ...]:
    """Other grids: the same functions where they can be sampled, else the test sets there are."""
    domain, placement, problem = surrogate.domain, surrogate.placement, trials.problem
    if problem is None:
        if resolutions is not None:
            raise ValueError(
                "other resolutions need an equation to sample, and there are only data: give test sets such as test_32"
            )
        sets = {tuple(p.inputs.shape[2:]): (p.inputs, p.outputs) for p in trials.sets.values()}
        return audit_resolutions(surrogate.apply, sets, trained, domain, placement, same_functions=False)
    shapes = other_shapes(trained, resolutions)
    count = min(AUDIT_SAMPLES, len(trials.main))
    sets = at_resolutions(problem, shapes, seed, count, progress)
    return audit_resolutions(surrogate.apply, sets, trained, domain, placement, same_functions=True)


def other_shapes(trained: Shape, resolutions: Sequence[int | Sequence[int]] | None) -> list[Shape]:
    """The training grid and those asked for; half (where all axes are even) and double if none are.

    >>> other_shapes((16, 24), None)
    [(16, 24), (8, 12), (32, 48)]
    >>> other_shapes((16, 16), [32, (16, 64)])
    [(16, 16), (32, 32), (16, 64)]
    """
    if resolutions is None:
        halves = [tuple(n // 2 for n in trained)] if all(n % 2 == 0 and n >= 4 for n in trained) else []
        return [trained, *halves, tuple(2 * n for n in trained)]
    wanted = [(r,) * len(trained) if isinstance(r, int) else tuple(r) for r in resolutions]
    for shape in wanted:
        if len(shape) != len(trained) or min(shape) < 2:
            raise ValueError(
                f"a resolution is one number of points, at least 2, or {len(trained)} of them, got {shape}"
            )
    return list(dict.fromkeys([trained, *wanted]))


def cost(surrogate: Surrogate, problem: Problem, pairs: Fields) -> Cost:
    """The network against the reference solver, on the same grid and on a coarser one with interpolation."""
    inputs, reference = (surrogate.at_home(part[:COST_SAMPLES]) for part in (pairs.inputs, pairs.outputs))
    solvers: dict[str, Callable[[Inputs, float], Field]] = {
        "reference solver": lambda a, tolerance: problem.solve(a, tolerance).value
    }
    shape = tuple(reference.shape[2:])
    if all(n % 2 == 0 and n >= 8 for n in shape):
        half = tuple(n // 2 for n in shape)
        solvers[f"reference solver at {by(half)}, interpolated"] = _coarse(problem, half)
    bounded = surrogate.predict(inputs[:1]).kind == "guaranteed"
    also = {"network with its bound": lambda a: surrogate.predict(a).value} if bounded else {}
    return compare_cost(surrogate.apply, solvers, inputs, reference, surrogate.domain, surrogate.placement, also=also)


def _coarse(problem: Problem, shape: Shape) -> Callable[[Inputs, float], Field]:
    domain = problem.domain

    def solve(a: Inputs, tolerance: float) -> Field:
        return resample(problem.solve(resample(a, domain, shape), tolerance).value, domain, tuple(a.shape[2:]))

    return solve


def cases(pairs: Fields, prediction: Field, errors: Errors, bounds: tuple[Effectivity, ...]) -> tuple[Case, ...]:
    """The sample with the median error and that with the largest."""
    order = errors.l2.nan_to_num(nan=torch.inf).argsort()
    chosen = {"Median case": int(order[(len(order) - 1) // 2]), "Worst case": int(order[-1])}
    cases = []
    for name, i in chosen.items():
        words = f"{name} (sample {i}): relative L² error {percent(errors.l2[i].item())}"
        if bounds and errors.energy is not None:
            bound = bounds[0].relative[i].item()
            words += f"; in the energy norm {percent(errors.energy[i].item())}, bounded by {percent(bound)}"
        cases.append(Case(words, pairs.inputs[i], pairs.outputs[i], prediction[i]))
    return tuple(cases)
