"""Time per prediction beside the time of a solver that is asked for no more accuracy than the network has."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.analysis.summary import Summary, finite_or_none
from vcycle.spaces import L2, Domain, Placement

Inputs = Float[Tensor, "b i *grid"]
Field = Float[Tensor, "b c *grid"]
Predict = Callable[[Inputs], Field]
Solve = Callable[[Inputs, float], Field]

LOOSEST, STRICTEST = 0.5, 1e-12
BISECTIONS = 6
SECONDS = 20.0  # that the search for a tolerance, and the timings after it, may take each, about
SOLVES = 20  # of a search
FEWEST = 2, 3  # samples of a search and repeats of a timing, however slow a solver is


@dataclass(frozen=True)
class Rival:
    """A solver at the loosest tolerance whose median error is no larger than the network's.

    `tolerance` is None where no tolerance reaches it (a coarser grid); `milliseconds` per sample, by batch size.
    """

    name: str
    tolerance: float | None
    error: float
    milliseconds: dict[int, float]

    @property
    def reached(self) -> bool:
        return self.tolerance is not None


@dataclass(frozen=True)
class Cost:
    """Milliseconds per sample on one machine with the same threads, the network's median relative L2 error beside.

    `others` are further times by name (the prediction together with its bound, say); `samples` those that equal
    accuracy was found on.
    """

    error: float
    milliseconds: dict[int, float]
    rivals: tuple[Rival, ...]
    threads: int
    device: str
    repeats: int
    others: dict[str, dict[int, float]]
    samples: int

    @property
    def useless(self) -> bool:
        """Whether to answer zero, which takes no time, is as accurate as the network."""
        return not self.error < 1

    def fastest(self, batch: int) -> Rival | None:
        """The fastest solver that is as accurate as the network, at this batch size."""
        able = [rival for rival in self.rivals if rival.reached]
        return min(able, key=lambda rival: rival.milliseconds[batch], default=None)

    def ratio(self, batch: int) -> float | None:
        """Time of the fastest such solver / time of the network: above 1 the network wins, below 1 the solver.

        None where no solver is as accurate, or the network useless.
        """
        rival = self.fastest(batch)
        return None if rival is None or self.useless else rival.milliseconds[batch] / self.milliseconds[batch]

    def to_dict(self) -> dict[str, Any]:
        return {
            "network": {"error": finite_or_none(self.error), "milliseconds": _keys(self.milliseconds)},
            "solvers": [
                asdict(rival) | {"error": finite_or_none(rival.error), "milliseconds": _keys(rival.milliseconds)}
                for rival in self.rivals
            ],
            "others": {name: _keys(values) for name, values in self.others.items()},
            "ratio": _keys({batch: self.ratio(batch) for batch in self.milliseconds}),
            "threads": self.threads,
            "device": self.device,
            "repeats": self.repeats,
            "samples": self.samples,
        }


def compare_cost(
    predict: Predict,
    solvers: Mapping[str, Solve],
    inputs: Inputs,
    reference: Field,
    domain: Domain,
    placement: Placement = "cell",
    *,
    also: Mapping[str, Predict] | None = None,
    batches: tuple[int, ...] = (1, 16),
    repeats: int = 11,
    seconds: float = SECONDS,
) -> Cost:
    """The network against every solver(inputs, tolerance) at equal accuracy; medians of `repeats` interleaved runs.

    Accuracy is the median over the samples of the relative L2 distance from `reference`. `also` is timed beside. Where
    solvers are so slow that this would take longer than twice `seconds`, it takes fewer samples, repeats and batches.
    """
    norm = L2(domain, placement)

    def median_error(u: Field) -> float:
        return Summary.of(norm.relative(u.to(reference), reference)).median

    target = median_error(predict(inputs))
    pace = sum(_seconds(solve, inputs[:1], min(LOOSEST, target)) for solve in solvers.values())
    samples = _fitting(seconds, SOLVES * pace, FEWEST[0], len(inputs))
    inputs, reference = inputs[:samples], reference[:samples]
    batches = tuple(batch for batch in batches if batch == batches[0] or 4 * batch * pace <= seconds)
    repeats = _fitting(seconds, sum(batches) * pace, min(FEWEST[1], repeats), repeats)
    target = median_error(predict(inputs))
    found = {name: loosest_tolerance(solve, inputs, target, median_error) for name, solve in solvers.items()}
    able = {name: tolerance for name, (tolerance, _) in found.items() if tolerance is not None}
    also = also or {}
    calls = {"": predict} | dict(also) | {name: _at(solvers[name], tolerance) for name, tolerance in able.items()}
    times = {batch: time_per_sample(calls, inputs, batch, repeats) for batch in batches}
    return Cost(
        error=target,
        milliseconds={batch: times[batch][""] for batch in batches},
        rivals=tuple(
            Rival(name, tolerance, error, {batch: times[batch][name] for batch in batches if name in able})
            for name, (tolerance, error) in found.items()
        ),
        threads=torch.get_num_threads(),
        device=str(inputs.device),
        repeats=repeats,
        others={name: {batch: times[batch][name] for batch in batches} for name in also},
        samples=samples,
    )


def loosest_tolerance(
    solve: Solve, inputs: Inputs, target: float, median_error: Callable[[Field], float]
) -> tuple[float | None, float]:
    """The loosest tolerance whose median error is <= target, and that error; (None, least error) where none is.

    A sweep from loose to strict by half decades, then bisection of the last half decade.
    """
    tolerance, error = LOOSEST, median_error(solve(inputs, LOOSEST))
    if error <= target:
        return tolerance, error
    while error > target:
        loose, tolerance = tolerance, tolerance / 10**0.5
        if tolerance < STRICTEST:
            return None, error
        before, error = error, median_error(solve(inputs, tolerance))
        if tolerance < 1e-6 * target and abs(before - error) < 1e-3 * error:
            return None, error  # converged, and still further away than the network
    for _ in range(BISECTIONS):
        middle = (loose * tolerance) ** 0.5
        tried = median_error(solve(inputs, middle))
        if tried <= target:
            tolerance, error = middle, tried
        else:
            loose = middle
    return tolerance, error


def time_per_sample(calls: Mapping[str, Predict], inputs: Inputs, batch: int, repeats: int) -> dict[str, float]:
    """Median milliseconds per sample of each call on batches of `batch` samples.

    Everyone gets the same batches, in turns, so that a busy moment of the machine meets all alike.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(-1, repeats):
        rows = [(max(turn, 0) * batch + i) % inputs.shape[0] for i in range(batch)]
        chosen = inputs[rows]
        for name, call in calls.items():
            _wait(chosen)
            start = time.perf_counter()
            _wait(call(chosen))
            if turn >= 0:  # the first turn warms up
                seconds[name].append(time.perf_counter() - start)
    return {name: 1e3 * statistics.median(values) / batch for name, values in seconds.items()}


def _seconds(solve: Solve, inputs: Inputs, tolerance: float) -> float:
    """The shorter of two calls: the first may have to warm up."""
    taken = []
    for _ in range(2):
        start = time.perf_counter()
        _wait(solve(inputs, tolerance))
        taken.append(time.perf_counter() - start)
    return min(taken)


def _fitting(seconds: float, each: float, fewest: int, most: int) -> int:
    """How many that take so many seconds each fit, between the fewest and the most."""
    return most if most * each <= seconds else max(min(fewest, most), int(seconds / each))


def _at(solve: Solve, tolerance: float) -> Predict:
    return lambda inputs: solve(inputs, tolerance)


def _wait(u: Tensor) -> None:
    if u.is_cuda:
        torch.cuda.synchronize(u.device)


def _keys(values: Mapping[int, float | None]) -> dict[str, float | None]:
    return {str(batch): value for batch, value in values.items()}
