"""What a run learns from a data set: its pairs, or steps cut from its trajectories, in memory where they fit."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.data import Dataset, Fields, Split, all_pairs, states, windows
from vcycle.jobs.config import TrainConfig
from vcycle.jobs.pairs_config import AllPairsConfig, OneStepConfig, Pairs
from vcycle.jobs.rollout import Step, Unrolled
from vcycle.training import Forward, once

IN_MEMORY = 2**30  # bytes of a split; larger ones are read from disk, batch by batch
FEW = 512  # samples of such a split that normalisers and validation see


def within_memory(data: Dataset) -> Dataset:
    """With every split in memory that fits there."""
    splits = {name: split.to_memory() if size(split) <= IN_MEMORY else split for name, split in data.splits.items()}
    return replace(data, splits=splits)


def size(split: Split) -> int:
    """Bytes of a split."""
    if len(split) == 0:
        return 0
    one = split.read([0])
    return len(split) * (one.inputs.nbytes + one.outputs.nbytes)


def some(split: Split) -> Fields:
    """All of a split that fits into memory, else a few samples spread over it."""
    fits = size(split) <= IN_MEMORY
    return split.read(range(len(split)) if fits else torch.linspace(0, len(split) - 1, FEW).long())


def cut(pairs: Pairs, data: Dataset) -> Dataset:
    """The pairs that a network maps: as stored, a step, or a step of any length."""
    if isinstance(pairs, OneStepConfig):
        return windows(data, pairs.history)
    return all_pairs(data) if isinstance(pairs, AllPairsConfig) else data


def followed(pairs: Pairs, data: Dataset) -> Dataset:
    """The pairs that a network is trained on: for several applications with all the states that follow."""
    return windows(data, pairs.history, pairs.steps) if isinstance(pairs, OneStepConfig) else cut(pairs, data)


def step_of(pairs: Pairs, data: Dataset) -> Step | None:
    """How the network is a step in time; None where it is not."""
    if not isinstance(pairs, OneStepConfig | AllPairsConfig):
        return None
    found = states(data)
    return Step(len(found.fixed), len(found.fields), lead=isinstance(pairs, AllPairsConfig))


def forward_of(config: TrainConfig, data: Dataset, steps: int) -> Forward:
    """What a training step does, in a run of so many `steps`."""
    pairs, step = config.pairs, step_of(config.pairs, data)
    if not isinstance(pairs, OneStepConfig) or step is None or pairs.steps == 1:
        return once
    if config.loss not in ("l2", "h1"):
        raise ValueError(f"loss {config.loss} knows one application of a network, {pairs.steps} were asked for: use h1")
    return Unrolled(step, pairs.steps, round(pairs.curriculum * steps), pairs.pushforward)


def noise_of(pairs: Pairs, data: Dataset, sample: Fields) -> Float[Tensor, " c"] | None:
    """The deviation of the noise per input channel: on states only."""
    step = step_of(pairs, data)
    if not isinstance(pairs, OneStepConfig | AllPairsConfig) or step is None or pairs.noise == 0:
        return None
    noise = pairs.noise * sample.inputs.transpose(0, 1).flatten(1).std(1)
    noise[: step.fixed] = 0
    if step.lead:
        noise[-1] = 0
    return noise
