"""The samples a network is tested on: a split of a data set, or fresh samples of the equation it learned."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.analysis.wording import by
from vcycle.data import DataError, Dataset, Fields, require_same_domain
from vcycle.data.coarser import grid_differences, grid_words
from vcycle.data.progress import progress_bar
from vcycle.jobs.channels import matched
from vcycle.jobs.config import TrainConfig
from vcycle.jobs.tasks import derived_seed, solved
from vcycle.problems import Problem
from vcycle.surrogate import Surrogate

FRESH_SAMPLES, CHUNK, COMPARED = 64, 8, 4


@dataclass(frozen=True)
class Trials:
    """Test pairs by name, the main set first.

    problem     the equation that the pairs solve, None where it is not known
    origin      where they come from, in words; checksum of the main set, where it is stored
    grid        what the grid of the references costs, in words, where that is known
    """

    sets: Mapping[str, Fields]
    problem: Problem | None
    origin: str
    checksum: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    grid: str = ""

    @property
    def main(self) -> Fields:
        return next(iter(self.sets.values()))

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.main.inputs.shape[2:])


def fresh(
    surrogate: Surrogate,
    config: TrainConfig,
    shape: tuple[int, ...],
    samples: int | None,
    progress: bool = False,
) -> Trials:
    """Samples of the surrogate's own problem, from a seed that training never uses; with `progress` behind a bar."""
    problem = surrogate.problem
    if problem is None:
        raise ValueError("this network was trained on data without an equation: give test data")
    count = FRESH_SAMPLES if samples is None else samples
    with progress_bar("solving test samples", count, 0, progress) as advance:
        parts = []
        for first in range(0, count, CHUNK):
            indices = range(first, min(first + CHUNK, count))
            parts.append(solved(problem, shape, seed_of(config), indices))
            advance(len(indices))
    pairs = Fields(torch.cat([p.inputs for p in parts]), torch.cat([p.outputs for p in parts]))
    some = range(min(count, COMPARED))
    differences = grid_differences(problem, seed_of(config), some, pairs.outputs[: len(some)])
    return Trials(
        sets={"test": pairs},
        problem=problem,
        origin=f"{count} fresh samples, disjoint from those of training and validation",
        grid=grid_words(statistics.median(differences.values()) if differences else None, len(differences)),
    )


def stored(surrogate: Surrogate, data: Dataset, split: str, samples: int | None) -> Trials:
    """The split, and further ones named after it ('test_32'), with at most `samples` samples each.

    The channels stand in the order of the network; raises DataError for data of something else.
    """
    require_same_domain(data.domain, surrogate.domain, "network", (data.placement, surrogate.placement))
    inputs, outputs = matched(surrogate, data)
    sets = {}
    for name in [split, *(other for other in data.splits if other.startswith(f"{split}_"))]:
        pairs = data.split(name)
        count = len(pairs) if samples is None else min(samples, len(pairs))
        if count == 0:
            raise DataError(f"split {name!r} of {data.name!r} has no samples: give test data")
        read = pairs.read(range(count))
        sets[name] = Fields(read.inputs[:, inputs].double(), read.outputs[:, outputs].double())
    return Trials(
        sets=sets,
        problem=data.build_problem() or surrogate.problem,
        origin=f"split {split} of the data set {data.name}, not used in training",
        checksum=data.checksum(split),
        units=data.description.units,
        grid=data.of_the_grid,
    )


def seed_of(config: TrainConfig) -> int:
    """The stream of test samples of a run: those of training, validation and scaling have other seeds."""
    return derived_seed(config.seed, "test")


def at_resolutions(
    problem: Problem, shapes: list[tuple[int, ...]], seed: int, count: int, progress: bool = False
) -> dict[tuple[int, ...], tuple[Float[Tensor, "b c *grid"], Float[Tensor, "b o *grid"]]]:
    """The same functions and their solutions on every grid, with a bar for each grid."""
    found = {}
    for shape in shapes:
        parts = []
        with progress_bar(f"solving on {by(shape)}", count, 0, progress) as advance:
            for index in range(count):
                parts.append(solved(problem, shape, seed, [index]))
                advance(1)
        found[shape] = (torch.cat([p.inputs for p in parts]), torch.cat([p.outputs for p in parts]))
    return found
