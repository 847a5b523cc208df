"""A failed solve is repeated more safely; what still fails is reported by seed and index, and never stored."""

from typing import ClassVar

import h5py
import pytest
import torch

from vcycle.data import DataError, Dataset, generate
from vcycle.data.labels import solve_samples
from vcycle.problems import Darcy, LogNormal
from vcycle.solvers import Solution


class Hard(Darcy):
    """Darcy whose samples fail by their place in the batch of four: blow-up, no convergence, an exception."""

    cured: ClassVar[tuple[int, ...]] = (1,)

    def solve(self, inputs, tolerance=None, most=200) -> Solution:
        solution = super().solve(inputs, tolerance, most)
        if len(inputs) == 4:
            solution.value[1] = torch.nan
            solution.value[2] *= 1.001
        return solution

    def solve_safely(self, inputs) -> Solution:
        a = super().sample((16, 16), 3, self.cured)
        if any(torch.equal(inputs[0], one) for one in a):
            return super().solve_safely(inputs)
        raise RuntimeError("the direct solver ran out of memory")


def test_the_safer_solve_cures_what_it_can_and_the_rest_is_left_out(tmp_path, caplog):
    data = generate(Hard(), 4, 16, 3, tmp_path / "d", workers=1, verify_every=0, progress=False)
    shard = data.manifest.shards[0]
    assert shard.retried == (1, 2)
    (failure,) = data.manifest.failures
    assert (failure.index, failure.seed) == (2, 3)
    assert "relative residual nan" in failure.reason and "the direct solver ran out of memory" in failure.reason
    assert "1 of 4 samples could not be solved, such as sample 2" in caplog.text
    assert "solve_safely" in data.manifest.verification.solver
    with h5py.File(tmp_path / "d" / "part-00000.h5") as file:
        assert file["scalars/sample_index"][()].tolist() == [0, 1, 3]
        assert file.attrs["n_trajectories"] == 3
    pairs = Dataset.open(tmp_path / "d", verify=True).read(range(3))
    assert bool((Darcy().residual(pairs.inputs, pairs.outputs) < 1e-9).all())


def test_where_most_fail_the_run_stops(tmp_path):
    class Hopeless(Darcy):
        def solve(self, inputs, tolerance=None, most=200):
            raise ValueError("no steady state")

    with pytest.raises(DataError, match=r"4 of 4 samples .* no steady state; the run stops: choose milder parameters"):
        generate(Hopeless(), 4, 16, 3, tmp_path / "d", workers=1, progress=False)
    assert not (tmp_path / "d" / "manifest.json").exists()


def test_the_default_is_the_same_solver_with_more_iterations():
    class Slow(Darcy):
        seen: ClassVar[list[int]] = []

        def solve(self, inputs, tolerance=None, most=200):
            self.seen.append(most)
            return super().solve(inputs, tolerance, 1 if most == 200 else most)

    labels = solve_samples(Slow(prior=LogNormal()), (16, 16), 0, range(2), torch.float64, 0)
    assert Slow.seen == [200, 1000, 1000]
    assert labels.retried == (0, 1) and labels.failures == ()


def test_darcy_repeats_in_double_precision():
    problem = Darcy()
    a = problem.sample((16, 16), 0, range(2))
    usual, safe = problem.solve(a), problem.solve_safely(a)
    assert bool(safe.converged.all()) and not torch.equal(usual.value, safe.value)
    torch.testing.assert_close(usual.value, safe.value, rtol=1e-8, atol=0)
