import json
import logging
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from vcycle.data import DataError, Dataset, Processes, generate
from vcycle.data import work as work_module
from vcycle.data.files import checksum
from vcycle.problems import Darcy, Problem, TwoPhase
from vcycle.solvers import Solution

ARGUMENTS = {"samples": 22, "resolution": 16, "seed": 3, "shard_size": 4, "verify_every": 8, "progress": False}


def make(folder: Path, problem: Problem | None = None, **changes) -> Dataset:
    return generate(problem or Darcy(), out=folder, **{"workers": 1, **ARGUMENTS, **changes})


def checksums(folder: Path) -> dict[str, str]:
    return {file.name: checksum(file) for file in sorted(folder.glob("part-*.h5"))}


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_the_number_of_threads_does_not_change_the_bytes(generated, tmp_path):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        make(tmp_path / "threads")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert checksums(tmp_path / "threads") == checksums(generated)


def test_a_sample_is_a_function_of_seed_and_index_alone(dataset, tmp_path):
    other = make(tmp_path / "other", samples=9, shard_size=2)
    some, same = other.read(range(9)), dataset.read(range(9))
    assert torch.equal(some.inputs, same.inputs)
    torch.testing.assert_close(some.outputs, same.outputs, rtol=1e-9, atol=0)  # the batch decides when CG stops


def test_labels_satisfy_the_equations_as_stored(dataset):
    fields, problem = dataset.read(range(22)), dataset.build_problem()
    residual = problem.residual(fields.inputs, fields.outputs)
    stored = torch.tensor([r for shard in dataset.manifest.shards for r in shard.residuals])
    assert residual.max() < 1e-9
    torch.testing.assert_close(residual, stored.double(), rtol=1e-4, atol=1e-13)
    assert problem.verify(fields.inputs, fields.outputs).max() < 1e-9


def test_the_manifest_tells_how_the_data_came_about(dataset):
    manifest = dataset.manifest
    assert manifest.problem == manifest.configuration.problem == json.loads(json.dumps(Darcy().to_dict()))
    assert manifest.configuration.seed == 3
    assert [i for shard in manifest.shards for i in shard.indices] == list(range(22))
    checked = {index: d for shard in manifest.shards for index, d in shard.differences.items()}
    assert sorted(checked) == [0, 8, 16]
    assert manifest.verification.samples_compared == 3
    assert manifest.verification.difference_worst == max(checked.values()) < 1e-9
    assert manifest.verification.residual_worst < manifest.verification.residual_limit == 1e-9
    assert set(manifest.versions) == {"vcycle", "torch", "numpy", "scipy", "h5py", "hdf5", "python"}
    assert {name: record.stop - record.start for name, record in manifest.splits.items()} == {
        "train": 18,
        "validation": 2,
        "test": 2,
    }


def test_calling_again_computes_nothing_and_changes_nothing(generated, tmp_path, monkeypatch):
    folder = tmp_path / "copy"
    shutil.copytree(generated, folder)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    monkeypatch.setattr(Darcy, "solve", None)
    make(folder)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.parametrize("damage", ["flipped", "truncated", "missing"])
def test_a_damaged_shard_is_computed_again_and_no_other(generated, tmp_path, damage, caplog):
    folder = tmp_path / "copy"
    shutil.copytree(generated, folder)
    before = {path.name: path.stat().st_ino for path in folder.glob("*.h5")}
    victim = folder / "part-00002.h5"
    content = victim.read_bytes()
    if damage == "missing":
        victim.unlink()
    else:
        victim.write_bytes(content[:-100] if damage == "truncated" else content[:-1] + bytes([content[-1] ^ 1]))
    with caplog.at_level(logging.WARNING):
        make(folder)
    assert "part-00002.h5 is missing or does not match its checksum" in caplog.text
    assert checksums(folder) == checksums(generated)
    after = {path.name: path.stat().st_ino for path in folder.glob("*.h5")}
    assert {name for name in after if name != victim.name and after[name] != before[name]} == set()


class Stopped(BaseException):
    """Like a kill: nothing catches it."""


@pytest.mark.parametrize("step", ["write_shard", "move", "write_record"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_stopping_between_any_two_steps_loses_and_repeats_nothing(generated, tmp_path, monkeypatch, step, when):
    folder, real, calls = tmp_path / "stopped", vars(work_module)[step], []

    def stopping(*arguments):
        calls.append(arguments)
        if len(calls) == 3 and when == "before":
            raise Stopped
        real(*arguments)
        if len(calls) == 3:
            raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(work_module, step, stopping)
        with pytest.raises(Stopped):
            make(folder)
    with pytest.raises(DataError, match=r"not finished \([23] shards so far\): run the same generate command again"):
        Dataset.open(folder)
    done = {
        path.name: path.stat().st_ino
        for path in folder.glob("*.h5")
        if (folder / "unfinished" / path.name).with_suffix(".json").exists()
    }
    make(folder)
    assert checksums(folder) == checksums(generated)
    assert {name: (folder / name).stat().st_ino for name in done} == done
    assert files(folder) == files(generated)


def test_killed_at_random_moments_and_called_again(tmp_path):
    """SIGKILL leaves no chance to clean up; forks of this process start fast enough to kill many."""
    arguments = {"samples": 40, "shard_size": 2}
    reference, folder = tmp_path / "reference", tmp_path / "killed"
    start = time.monotonic()
    make(reference, **arguments)
    whole, rng = time.monotonic() - start, random.Random(20)
    kills = 0
    while not (folder / "manifest.json").exists() and kills < 8:
        child = multiprocessing.get_context("fork").Process(target=make, args=(folder,), kwargs=arguments)
        child.start()
        child.join(timeout=rng.uniform(0.0, 0.25) * whole)
        if child.exitcode is None:
            os.kill(child.pid, signal.SIGKILL)
            child.join()
            kills += 1
    dataset = make(folder, **arguments)
    assert kills >= 1
    assert checksums(folder) == checksums(reference)
    assert [i for shard in dataset.manifest.shards for i in shard.indices] == list(range(40))
    assert files(folder) == files(reference)


SCRIPT = """
from vcycle.data import generate
from vcycle.problems import Darcy
generate(Darcy(), 384, 16, 3, {folder!r}, workers=3, shard_size=16, verify_every=8, progress=False)
"""


def descendants(pid: int) -> list[int]:
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children + [pid for child in children for pid in descendants(child)]


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_three_workers_killed_and_one_resuming_write_the_bytes_of_one(tmp_path):
    """The script has no `if __name__ == "__main__":`, which workers need for problems defined in it only."""
    script, folder = tmp_path / "script.py", tmp_path / "data"
    script.write_text(SCRIPT.format(folder=str(folder)))
    arguments = {"samples": 384, "shard_size": 16}
    process = subprocess.Popen([sys.executable, str(script)], env={**os.environ, "OMP_NUM_THREADS": "1"})
    try:
        deadline = time.monotonic() + 100
        while len(list((folder / "unfinished").glob("part-*.json"))) < 5:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.002)
        others = descendants(process.pid)
    finally:
        process.kill()
        process.wait()
    while any(alive(pid) for pid in others):  # no worker outlives its parent
        assert time.monotonic() < deadline
        time.sleep(0.002)
    assert len(others) >= 3
    done = [json.loads(note.read_text()) for note in (folder / "unfinished").glob("part-*.json")]
    assert 5 <= len(done) < 24
    assert all(checksum(folder / record["file"]) == record["sha256"] for record in done)
    dataset = make(folder, **arguments)
    make(tmp_path / "reference", **arguments)
    assert checksums(folder) == checksums(tmp_path / "reference")
    assert dataset.manifest.splits == Dataset.open(tmp_path / "reference").manifest.splits
    assert files(folder) == files(tmp_path / "reference")


def test_other_arguments_for_a_folder_are_refused(generated, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(generated, folder)
    with pytest.raises(DataError, match=r"was begun with seed=3, now seed=4 was asked for: choose another folder"):
        make(folder, seed=4)
    with pytest.raises(DataError, match=r"begun with problem.prior.high=12.0, now problem.prior.high=10.0"):
        make(folder, Darcy(prior=TwoPhase(high=10.0)))
    (folder / "manifest.json").unlink()
    with pytest.raises(DataError, match=r"its files belong to no run of generate"):
        make(folder)


def test_a_begun_run_is_refused_to_others(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(work_module, "write_shard", lambda *_: (_ for _ in ()).throw(Stopped))
        with pytest.raises(Stopped):
            make(tmp_path)
    with pytest.raises(DataError, match=r"begun with samples=22, splits.train=18.*now samples=30, splits.train=24"):
        make(tmp_path, samples=30)


class Stubborn(Darcy):
    """Sample 5 is never solved, sample 7 only by the longer second solve, and a batch with sample 10 is refused."""

    def solve(self, inputs, tolerance: float = 1e-10, most: int = 200) -> Solution:
        marks = self.sample((16, 16), 3, [5, 7, 10])
        solution = super().solve(inputs, tolerance, most)
        for row, sample in enumerate(inputs):
            if torch.equal(sample, marks[0]):
                solution.value[row, :, 3, 3] = torch.nan
            if torch.equal(sample, marks[1]) and most <= 200:
                solution.value[row] *= 1.001
            if torch.equal(sample, marks[2]) and len(inputs) > 1:
                raise RuntimeError("the factorisation broke down")
        return solution


def test_unsolvable_samples_are_tried_again_then_left_out_and_reported(tmp_path, dataset, caplog):
    with caplog.at_level(logging.WARNING):
        stubborn = make(tmp_path, Stubborn())
    assert (
        "1 of 22 samples could not be solved, such as sample 5: relative residual nan, the limit is 1e-09"
        in caplog.text
    )
    assert [failure.index for failure in stubborn.manifest.failures] == [5]
    assert stubborn.manifest.shards[1].retried == (5, 7)
    assert stubborn.manifest.shards[2].retried == (8, 9, 10, 11)
    assert len(stubborn) == 21
    kept = [i for i in range(22) if i != 5]
    found, expected = stubborn.read(range(21)), dataset.read(kept)
    assert torch.equal(found.inputs, expected.inputs)
    torch.testing.assert_close(found.outputs, expected.outputs, rtol=1e-8, atol=0)
    # Splits are ranges of sample indices: a failure shortens its split and moves no other sample.
    assert [len(stubborn.split(name)) for name in ("train", "validation", "test")] == [17, 2, 2]


class Hopeless(Darcy):
    def solve(self, inputs, tolerance: float = 1e-10, most: int = 200) -> Solution:
        raise RuntimeError("out of luck")


def test_a_run_where_most_samples_fail_stops(tmp_path):
    with pytest.raises(
        DataError, match=r"12 of 12 samples could not be solved, such as sample 0: .* out of luck; the run"
    ):
        make(tmp_path, Hopeless())


class Contradicted(Darcy):
    def verify(self, inputs, u):
        return super().verify(inputs, u) + 1e-3


def test_a_disagreeing_second_solver_stops_the_run(tmp_path):
    with pytest.raises(DataError, match=r"sample 0: the second solver differs by 1.0e-03 \(limit 1e-06\)"):
        make(tmp_path, Contradicted())


def test_float32_rounds_verified_labels(tmp_path, dataset):
    single = make(tmp_path, dtype="float32")
    fields = single.read(range(22))
    assert fields.inputs.dtype == fields.outputs.dtype == torch.float32
    torch.testing.assert_close(fields.outputs, dataset.read(range(22)).outputs.float(), rtol=3e-7, atol=0)
    assert single.manifest.verification.residual_worst < 1e-9


def test_shards_hold_no_more_than_the_grid_allows(tmp_path):
    small = generate(Darcy(), 3, 8, 0, tmp_path / "small", progress=False)
    assert small.manifest.configuration.shard_size == 128
    wide = generate(Darcy(), 2, (1024, 512), 0, tmp_path / "wide", workers=1, verify_every=0, progress=False)
    assert wide.manifest.configuration.shard_size == 1
    assert wide.resolution == (1024, 512)
    assert wide.manifest.verification.difference_worst is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"resolution": (16, 16, 16)}, r"the problem has 2 axes: give one resolution .* got \(16, 16, 16\)"),
        ({"resolution": 1}, "resolution of at least 2"),
        ({"samples": 0}, "at least 1 sample is needed, got 0"),
        ({"shard_size": -1}, "a shard holds at least 1 sample, got shard_size=-1"),
        ({"verify_every": -3}, "verify_every is a distance between sample indices, or 0 for none, got -3"),
        ({"splits": {"train": 10, "test": 5}}, "train=10, test=5 have 15 samples together, but there are 22"),
        ({"workers": 0}, "a pool needs at least 1 worker, got 0"),
    ],
)
def test_impossible_requests_are_refused_in_a_sentence(tmp_path, changes, sentence):
    with pytest.raises(DataError, match=sentence):
        make(tmp_path, **changes)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"cannot write to .*file"):
        make(tmp_path / "file")


def test_another_engine_can_be_given(generated, tmp_path):
    class Backwards(Processes):
        def run(self, function, units):
            for unit in reversed(units):
                yield function(unit)

    make(tmp_path, executor=Backwards(1))
    assert checksums(tmp_path) == checksums(generated)


def test_the_progress_bar_counts_samples(tmp_path, capsys):
    make(tmp_path, progress=True)
    assert "22/22" in capsys.readouterr().out
