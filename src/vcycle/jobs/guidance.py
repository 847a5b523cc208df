"""Which samples are worth a label: those on which a trained network is worst, by the guaranteed bound."""

from pathlib import Path

import torch

from vcycle.problems import Problem
from vcycle.surrogate import Surrogate, load

BATCH = 64


def guided(
    run: str | Path, problem: Problem, shape: tuple[int, ...], seed: int, samples: int, pool: int, share: float
) -> list[int]:
    """Indices of the stream `seed` whose labels teach most: a `share` of them the worst of `pool`, the rest the first.

    The worst come first, so that the splits at the end (validation, test) are ordinary samples. "Worst" means the
    largest relative bound of the network's prediction: no sample of the pool is solved.

    Raises ValueError for a run without a guaranteed bound, another problem's run, or a pool smaller than `samples`.
    """
    surrogate = load(run)
    if pool < samples:
        raise ValueError(f"{samples} samples cannot be chosen from {pool}: give a larger --guide.pool")
    if (surrogate.domain, surrogate.input_names) != (problem.domain, problem.input_names):
        raise ValueError(
            f"{run} was trained for {', '.join(surrogate.input_names)} on {surrogate.domain}, not for {problem.name} "
            f"on {problem.domain}: give a run of the same problem"
        )
    worst = round(share * samples)
    candidates = range(samples - worst, pool)
    bounds = torch.cat([_bounds(surrogate, problem, shape, seed, part) for part in _parts(candidates)])
    order = torch.argsort(bounds, descending=True, stable=True)[:worst]
    return [candidates[i] for i in order.tolist()] + list(range(samples - worst))


def _bounds(surrogate: Surrogate, problem: Problem, shape: tuple[int, ...], seed: int, indices: range) -> torch.Tensor:
    relative = surrogate.predict(problem.sample(shape, seed, indices)).relative
    if relative is None:
        raise ValueError(
            f"no guaranteed bound is known for {problem.title} to choose samples by: generate without --guide"
        )
    return relative


def _parts(indices: range) -> list[range]:
    return [indices[start : start + BATCH] for start in range(0, len(indices), BATCH)]
