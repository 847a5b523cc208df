"""Equal accuracy is found from the loose side, and times are medians of calls on the same batches."""

import time

import pytest
import torch

from vcycle.analysis import Cost, Rival, compare_cost
from vcycle.analysis.cost import loosest_tolerance, time_per_sample
from vcycle.spaces import Domain

LINE = Domain.unit(1)
U = torch.rand(5, 1, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + 1


def median_error(u: torch.Tensor) -> float:
    return ((u - U).flatten(1).norm(dim=1) / U.flatten(1).norm(dim=1)).median().item()


@pytest.mark.parametrize("target", [0.3, 0.02, 3e-7])
def test_the_loosest_tolerance_is_found_to_a_few_percent(target):
    """The error is half the tolerance, so the loosest tolerance is twice the target."""
    tolerance, error = loosest_tolerance(lambda a, tol: a * (1 + 0.5 * tol), U, target, median_error)
    assert tolerance is not None
    assert error <= target
    assert tolerance == pytest.approx(min(0.5, 2 * target), rel=0.03)
    assert tolerance <= 2 * target


def test_a_solver_that_can_do_no_better_says_so():
    calls = []

    def solve(a: torch.Tensor, tolerance: float) -> torch.Tensor:
        calls.append(tolerance)
        return a * (1.05 + tolerance)

    assert loosest_tolerance(solve, U, 0.02, median_error) == (None, pytest.approx(0.05, rel=1e-4))
    assert len(calls) < 20


def test_slow_solvers_get_fewer_samples_repeats_and_batches():
    """At 20 ms a sample: 20 solves of two samples and three turns of one sample fill the time that is given."""
    asked: list[int] = []

    def slow(a: torch.Tensor, tolerance: float) -> torch.Tensor:
        time.sleep(0.02 * len(a))
        asked.append(len(a))
        return a * (1 + tolerance)

    cost = compare_cost(lambda a: 1.1 * a, {"slow": slow}, U, U, LINE, batches=(1, 4), repeats=11, seconds=0.1)
    assert cost.samples == 2 and 3 <= cost.repeats <= 5 and list(cost.milliseconds) == [1]
    assert max(asked) == 2 and sum(asked) < 60
    assert cost.rivals[0].reached and cost.to_dict()["samples"] == 2
    quick = compare_cost(lambda a: 1.1 * a, {"quick": lambda a, t: a * (1 + t)}, U, U, LINE, batches=(1, 4))
    assert (quick.samples, quick.repeats, list(quick.milliseconds)) == (5, 11, [1, 4])


def test_everyone_gets_the_same_batches_and_the_median_is_taken(monkeypatch):
    seen: dict[str, list[tuple[int, ...]]] = {"a": [], "b": []}
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])

    def call(name: str, seconds: float):
        def run(u: torch.Tensor) -> torch.Tensor:
            seen[name].append(tuple(u[:, 0, 0].tolist()))
            slow = len(seen[name]) == 3
            clock[0] += 10 * seconds if slow else seconds
            return u

        return run

    found = time_per_sample({"a": call("a", 0.002), "b": call("b", 0.006)}, U, 3, 5)
    assert seen["a"] == seen["b"]
    assert len(seen["a"]) == 6  # one to warm up
    assert len(set(seen["a"])) > 1  # other samples in other turns
    assert found == pytest.approx({"a": 2 / 3, "b": 6 / 3})  # milliseconds a sample; the slow turn is no median


def test_the_comparison_is_fair_and_the_solver_may_win():
    def network(a: torch.Tensor) -> torch.Tensor:
        time.sleep(0.01)
        return 1.1 * a

    def quick(a: torch.Tensor, tolerance: float) -> torch.Tensor:
        return a * (1 + tolerance)

    def blunt(a: torch.Tensor, tolerance: float) -> torch.Tensor:
        return 1.5 * a

    def slow(a: torch.Tensor) -> torch.Tensor:
        time.sleep(0.02)
        return a

    cost = compare_cost(
        network, {"quick": quick, "blunt": blunt}, U, U, LINE, also={"slow": slow}, batches=(1, 4), repeats=3
    )
    assert cost.error == pytest.approx(0.1)
    first, second = cost.rivals
    assert first.reached and first.error <= 0.1
    assert first.tolerance == pytest.approx(0.1, rel=0.03)
    assert not second.reached and second.milliseconds == {} and second.error == pytest.approx(0.5)
    assert cost.fastest(1) is first
    assert cost.others["slow"][1] > 1.5 * cost.milliseconds[1]
    ratio = cost.ratio(1)
    assert ratio is not None and ratio < 0.2
    assert cost.milliseconds[1] > 9 and cost.milliseconds[4] == pytest.approx(cost.milliseconds[1] / 4, rel=0.5)
    assert cost.threads == torch.get_num_threads()
    assert cost.to_dict()["solvers"][1]["tolerance"] is None


def test_without_an_able_solver_there_is_no_ratio():
    cost = Cost(0.1, {1: 2.0}, (Rival("blunt", None, 0.5, {}),), 1, "cpu", 3, {}, 16)
    assert cost.fastest(1) is None and cost.ratio(1) is None
    assert cost.to_dict()["ratio"] == {"1": None}
