"""Labels beside those of a grid half as fine tell how far both are from the equation's solution."""

import statistics
from dataclasses import replace

import pytest
import torch

from vcycle.data import generate
from vcycle.data.coarser import grid_differences
from vcycle.problems import PROBLEMS, Dam, Evolution, Helmholtz, LargeEddy, Poisson
from vcycle.spaces import L2, placed
from vcycle.spaces.basis import apply_axes
from vcycle.spaces.transfer import lagrange_matrix

SEED, SAMPLES = 5, range(3)


def differences(problem, n: int) -> dict[int, float]:
    shape = (n,) * problem.domain.dimension
    return grid_differences(problem, SEED, SAMPLES, problem.solve(problem.sample(shape, SEED, SAMPLES)).value)


def quick(problem):
    if isinstance(problem, Dam):
        return replace(problem, time=0.05)
    return replace(problem, time=problem.time / 5, accuracy=1e-4) if isinstance(problem, Evolution) else problem


@pytest.mark.parametrize("problem", [quick(kind()) for kind in PROBLEMS.values()], ids=lambda problem: problem.name)
def test_every_problem_knows_what_its_grid_costs(problem):
    found = differences(problem, 20)
    assert list(found) == list(SAMPLES)
    assert all(value > 1e-7 for value in found.values())


def test_at_second_order_it_is_three_times_the_error_and_falls_to_a_quarter():
    problem, n, fine = Poisson(alpha=4.0), 64, 1024
    u, finer, finest = (problem.solve(problem.sample((m, m), SEED, SAMPLES)).value for m in (n, 2 * n, fine))
    to_coarse = placed(lagrange_matrix(fine, n, 3, "cell", False), u)
    error = L2(problem.domain).relative(u, apply_axes([to_coarse] * 2, finest))
    found, later = (torch.tensor([*grid_differences(problem, SEED, SAMPLES, w).values()]).double() for w in (u, finer))
    torch.testing.assert_close(found / error, torch.full_like(found, 3.0), rtol=0, atol=0.05)
    torch.testing.assert_close(found / later, torch.full_like(found, 4.0), rtol=0, atol=0.05)


def test_a_grid_too_coarse_for_the_problem_is_no_failure(tmp_path):
    problem = LargeEddy(waves=5, time=0.1)
    assert differences(problem, 16) == {}
    data = generate(problem, 2, 16, 0, tmp_path, splits={"test": 2}, progress=False)
    assert str(data).endswith("half as many points per axis are too few to solve on: what the grid costs is not known")


def test_waves_that_the_grid_cannot_carry_are_seen():
    assert min(differences(Helmholtz(), 16).values()) > 0.5


def test_a_data_set_says_what_its_grid_costs(tmp_path):
    data = generate(Poisson(), 3, 16, SEED, tmp_path, splits={"test": 3}, verify_every=1, progress=False)
    checked, expected = data.manifest.verification, differences(Poisson(), 16)
    assert data.manifest.shards[0].grid_differences == expected
    assert checked.grids_compared == len(expected)
    assert checked.grid_difference_median == statistics.median(expected.values())
    assert checked.grid_difference_worst == max(expected.values())
    percent = f"{100 * checked.grid_difference_median:.2g} %"
    assert f"labels differ by {percent} from those on half as many points per axis (median of 3)" in str(data)
    assert "\n" not in repr(data)


def test_nothing_is_said_where_nothing_was_compared(tmp_path):
    data = generate(Poisson(), 2, 16, SEED, tmp_path, splits={"test": 2}, verify_every=0, progress=False)
    assert str(data) == repr(data)
