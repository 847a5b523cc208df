"""A trained step in time let run along stored trajectories."""

from dataclasses import replace

import torch

from vcycle.analysis import Rollout, measure_rollout
from vcycle.data import Dataset, states
from vcycle.data.trajectories import with_lead
from vcycle.jobs.channels import matched
from vcycle.jobs.pairs import cut, step_of
from vcycle.jobs.pairs_config import OneStepConfig, Pairs
from vcycle.spaces import finite
from vcycle.surrogate import Surrogate


def rolled_out(
    surrogate: Surrogate, pairs: Pairs, data: Dataset, split: str, samples: int | None, lyapunov: float | None
) -> Rollout:
    """From the first states of every trajectory of the split to its end, fed with its own answers alone.

    Fields stand in the order of the network.
    """
    found, step, trajectories = states(data), step_of(pairs, data), data.split(split)
    if step is None:
        raise ValueError("this network is no step in time: train it with --pairs one_step or all_pairs")
    history = pairs.history if isinstance(pairs, OneStepConfig) else 1
    read = trajectories.read(range(len(trajectories) if samples is None else min(samples, len(trajectories))))
    both = torch.cat([read.inputs, read.outputs], 1).double()
    given, later = matched(surrogate, cut(pairs, data))
    found = replace(found, channels=tuple(tuple(instant[field] for field in later) for instant in found.channels))
    fixed = [data.input_names.index(found.fixed[place]) for place in given[: len(found.fixed)]]
    inputs = both[:, [*fixed, *found.at(range(history))]]
    if step.lead:
        lead = torch.full((len(inputs),), found.interval, dtype=torch.float64)
        inputs = torch.cat([inputs, with_lead(inputs, lead)], 1)
    predicted, ahead = [], range(history, len(found.times))
    for _ in ahead:
        value = surrogate.apply(inputs)
        alive = finite(value)
        predicted.append(value)
        inputs = step.next_inputs(inputs, value)
        inputs[~alive] = 0.0  # a state that is none has no successor
        if predicted[1:]:
            predicted[-1][~finite(predicted[-2])] = torch.inf
    return measure_rollout(
        torch.stack(predicted, 1),
        torch.stack([both[:, found.at([i])] for i in ahead], 1),
        both[:, found.at([history - 1])],
        tuple(found.times[i] - found.times[history - 1] for i in ahead),
        data.domain,
        data.placement,
        lyapunov,
    )
