"""What a run learns from: pairs of a data set, or an equation whose inputs are drawn afresh at every step."""

import hashlib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

from vcycle.data import DataError, Dataset, Fields, require_same_domain
from vcycle.data.shifts import shifted
from vcycle.jobs.config import LABELLED_LOSSES, TrainConfig
from vcycle.jobs.datasets import open_data
from vcycle.jobs.pairs import cut, followed, forward_of, noise_of, some, within_memory
from vcycle.jobs.streams import ReaderStream
from vcycle.problems import Problem, build
from vcycle.spaces import Domain, Placement
from vcycle.training import Batch, Divisible, Forward, Order, Stream, once, places

SCALING_SAMPLES = 32


@dataclass(frozen=True)
class Task:
    """Everything that training needs to know about its subject.

    stream            batches as a function of the step
    steps_per_epoch   None where every step is new
    sample            pairs to fit the normalisers to; validation: pairs to select the weights by
    forward           what a step of training does with network and batch
    examples          pairs for networks that take a basis or clusters from data: so many of an equation, all of data
    """

    domain: Domain
    placement: Placement
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    problem: Problem | None
    stream: Stream
    steps_per_epoch: float | None
    sample: Fields
    examples: Callable[[int], Fields]
    validation: Fields
    forward: Forward = once

    @property
    def resolution(self) -> tuple[int, ...]:
        return tuple(self.validation.inputs.shape[2:])


def task(config: TrainConfig) -> Task:
    """The subject of a configuration."""
    problem = None if config.problem is None else build(config.problem.plain())
    if config.data is not None:
        return _from_data(config, open_data(config.data, training=True), problem)
    if problem is None:
        raise ValueError("nothing to learn from: give data or a problem")
    return _from_equation(config, problem)


def derived_seed(seed: int, purpose: str) -> int:
    """A 63-bit number from (seed, purpose).

    Generated data use their seed as it is, so derived seeds meet neither them nor each other: a data set of any
    ordinary seed tests a network trained on the equation without a sample in common.
    """
    return int.from_bytes(hashlib.sha256(f"{seed}/{purpose}".encode()).digest()[:8], "big") >> 1


@dataclass(frozen=True)
class FreshInputs(Divisible):
    """Step s draws the samples s b, ..., s b + b - 1 of an endless stream, with labels from the solver if wanted.

    They come from the first of the `problems` for as many steps as `stage` says, then from the next, at last from the
    last.
    """

    problems: tuple[Problem, ...]
    stage: int
    shape: tuple[int, ...]
    batch: int
    seed: int
    labelled: bool

    def part(self, step: int, index: int, count: int) -> Batch:
        indices = places(step, self.batch, index, count)
        problem = self.problems[min(step // self.stage, len(self.problems) - 1)]
        if self.labelled:
            pairs = solved(problem, self.shape, self.seed, indices)
            return Batch(pairs.inputs, pairs.outputs)
        return Batch(problem.sample(self.shape, self.seed, indices))


def solved(problem: Problem, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Fields:
    """Inputs with their solutions."""
    inputs = problem.sample(shape, seed, indices)
    solution = problem.solve(inputs)
    if not bool(solution.converged.all()):
        raise ValueError(f"the solver did not reach its tolerance on a sample of {problem.name}: {solution.message}")
    return Fields(inputs, solution.value)


def _from_equation(config: TrainConfig, problem: Problem) -> Task:
    points = config.resolution
    axes = problem.domain.dimension
    shape = (points,) * axes if isinstance(points, int) else tuple(points or ())
    if len(shape) != axes:
        raise ValueError(f"resolution {list(shape)} does not fit {problem.domain}: give one number, or one per axis")
    labelled = config.loss in LABELLED_LOSSES
    count = config.validation_samples or 1
    problems = (*shifted(problem, config.curriculum or {}).values(), problem)
    stage = math.ceil(config.length(1.0) / len(problems))

    def examples(number: int) -> Fields:
        return solved(problem, shape, derived_seed(config.seed, "scaling"), range(number))

    return Task(
        domain=problem.domain,
        placement="cell",
        input_names=problem.input_names,
        output_names=problem.output_names,
        problem=problem,
        stream=FreshInputs(problems, stage, shape, config.batch, derived_seed(config.seed, "training"), labelled),
        steps_per_epoch=None,
        sample=examples(SCALING_SAMPLES),
        examples=examples,
        validation=solved(problem, shape, derived_seed(config.seed, "validation"), range(count)),
    )


def _from_data(config: TrainConfig, opened: Dataset, problem: Problem | None) -> Task:
    stored = within_memory(opened)
    data = cut(config.pairs, stored)
    known = data.build_problem()
    if problem is not None:
        require_same_domain(data.domain, problem.domain, "problem")
        _require_same_problem(data, known, problem)
    sample, validation = some(data.split("train")), some(data.split("validation"))
    count = config.validation_samples or len(validation)
    train = followed(config.pairs, stored).split("train")
    order = Order(len(train), config.batch, derived_seed(config.seed, "order"))
    dtype = torch.float64 if config.precision == "64-true" else torch.float32
    return Task(
        domain=data.domain,
        placement=data.placement,
        input_names=data.input_names,
        output_names=data.output_names,
        problem=problem or known,
        stream=ReaderStream(train, order, dtype, noise_of(config.pairs, stored, sample)),
        steps_per_epoch=order.steps_per_epoch,
        sample=sample,
        examples=lambda number: sample,
        validation=Fields(validation.inputs[:count], validation.outputs[:count]),
        forward=forward_of(config, stored, config.length(order.steps_per_epoch)),
    )


def _require_same_problem(data: Dataset, known: Problem | None, problem: Problem) -> None:
    if known is not None and known != problem:
        raise DataError(f"the data were made for {known}, not for {problem}: leave the problem out, or change it")
    names, expected = (data.input_names, data.output_names), (problem.input_names, problem.output_names)
    if tuple(map(len, names)) != tuple(map(len, expected)):
        raise DataError(f"the data map {names[0]} to {names[1]}, the problem {expected[0]} to {expected[1]}")
