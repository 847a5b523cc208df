"""Several processes, and parts of a batch one after the other, do what one process does at once, up to rounding."""

import json
import subprocess
import sys
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from vcycle.app.cli import main
from vcycle.training.processes import Processes, processes

SCRIPT = Path(__file__).with_name("process_runs.py")
spec = spec_from_file_location("process_runs", SCRIPT)
assert spec is not None and spec.loader is not None
process_runs = module_from_spec(spec)
spec.loader.exec_module(process_runs)
SETTINGS = process_runs.SETTINGS
TOLERANCE = 1e-13  # numbers of size 1, 12 steps, rounding of 1e-16


def rows(folder: Path) -> list[dict[str, float | None]]:
    parsed = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if name != "seconds"} for row in parsed]


def assert_same_run(folder: Path, other: Path) -> None:
    """Weights, the best ones, the optimizer's moments, and every row of the log."""
    a, b = (load_file(f / "checkpoint" / "state.safetensors") for f in (folder, other))
    assert a.keys() == b.keys() and len(a) == 5 + 5 + 3 * 4
    for name in a:
        torch.testing.assert_close(a[name], b[name], rtol=0, atol=TOLERANCE)
    assert_same_log(folder, other, tolerance=1e-12)


def assert_same_log(folder: Path, other: Path, tolerance: float) -> None:
    for row, same in zip(rows(folder), rows(other), strict=True):
        assert row.keys() == same.keys()
        for name, value in row.items():
            assert value == (None if same[name] is None else pytest.approx(same[name], rel=tolerance))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process does."""
    folder = tmp_path_factory.mktemp("alone")
    process_runs.run(folder / "once")
    process_runs.run(folder / "twice", forward=process_runs.twice)
    assert load_file(folder / "once" / "weights.safetensors")["layers.0.weight"].dtype == torch.float64
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes did, a folder for each case."""
    folder = tmp_path_factory.mktemp("two")
    with pytest.raises(OSError, match="enough"):  # one process stops after step 6, checkpoint at 5
        process_runs.run(folder / "fsdp-resumed", batches=until(6))
    (folder / "command").mkdir()
    (folder / "command-refused").mkdir()
    data = folder / "data"
    small = ["--samples", "30", "--resolution", "8", "--workers", "1"]
    assert main(["generate", "darcy", "--out", str(data), *small]) == 0
    for case in ("command", "command-refused"):
        (folder / case / "run.yaml").write_text(yaml.safe_dump(CONFIGURATION | {"data": {"path": str(data)}}))
    ended = subprocess.run([sys.executable, str(SCRIPT), str(folder)], capture_output=True, text=True, timeout=500)
    assert ended.returncode == 0, ended.stderr
    return folder


CONFIGURATION = {
    "network": {"name": "mgno", "width": 4, "depth": 2, "levels": 2},
    "batch": 4,
    "steps": 6,
    "validate_every": 3,
    "log_every": 2,
    "precision": "64-true",
    "accelerator": "cpu",
    "threads": 1,
}


def until(last: int):
    def stream(step: int):
        if step == last:
            raise OSError("enough")
        return process_runs.stream()(step)

    return stream


def ended(folder: Path) -> list[dict]:
    """How both processes ended. One that waited for ever has left nothing."""
    return [json.loads((folder / f"process_{rank}.json").read_text()) for rank in range(2)]


def said(folder: Path) -> list[str]:
    return [(folder / f"process_{rank}.txt").read_text() for rank in range(2)]


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_two_processes_are_one(strategy, runs, alone):
    assert_same_run(runs / strategy, alone / "once")
    assert ended(runs / strategy) == [{"step": 12, "by": None}] * 2
    first, second = said(runs / strategy)
    assert "step 12/12" in first and second == ""


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_two_processes_that_compute_layers_again_for_the_gradient_are_one(strategy, runs, alone):
    assert_same_run(runs / f"{strategy}-recomputed", alone / "once")


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_two_processes_that_call_machine_code_are_one(strategy, runs, alone):
    assert_same_run(runs / f"{strategy}-compiled", alone / "once")


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_two_processes_with_two_parts_each_and_two_applications_a_part(strategy, runs, alone):
    assert_same_run(runs / f"{strategy}-twice", alone / "twice")


def test_parts_of_a_batch_one_after_the_other_are_the_batch(alone, tmp_path):
    process_runs.run(tmp_path, replace(SETTINGS, accumulate=4))
    assert_same_run(tmp_path, alone / "once")
    process_runs.run(alone / "once", replace(SETTINGS, accumulate=4))  # the same run: nothing is refused


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_a_signal_to_one_process_stops_both_after_the_same_step_and_one_goes_on(strategy, runs, alone):
    folder = runs / f"{strategy}-interrupted"
    assert ended(folder) == [{"step": 4, "by": 15}] * 2
    result = process_runs.run(folder)
    assert result.ended == "finished"
    assert_same_run(folder, alone / "once")


def test_two_processes_go_on_from_the_checkpoint_of_one(runs, alone):
    assert "going on from step 5 of 12" in said(runs / "fsdp-resumed")[0]
    assert_same_run(runs / "fsdp-resumed", alone / "once")


def test_divergence_in_one_process_ends_both_with_the_same_sentence(runs):
    first, second = ended(runs / "diverged")
    assert first == second
    assert first["error"] == "Diverged"
    assert first["said"].startswith("the loss is nan at step 7: lower the learning rate")


@pytest.mark.parametrize(
    ("case", "culprit", "error", "sentence"),
    [("missing", 1, "OSError", "shard 7 cannot be read"), ("without-room", 0, "FileExistsError", "File exists")],
)
def test_an_error_in_one_process_is_known_to_both(case, culprit, error, sentence, runs):
    told = ended(runs / case)
    assert told[culprit]["error"] == error and sentence in told[culprit]["said"]
    assert told[1 - culprit]["error"] == "Elsewhere"
    assert told[1 - culprit]["said"].startswith(f"process {culprit} of 2: ") and sentence in told[1 - culprit]["said"]


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ("indivisible", "4 samples cannot be divided into 3 equal parts"),
        ("batch-norm", "1 takes means over the batch"),
        ("fsdp-scalar", "strategy fsdp divides the first axis of parameters and factor has none: use ddp"),
        ("idle", "parameter idle had no part in this step"),
    ],
)
def test_what_would_not_be_the_same_is_refused(case, sentence, runs):
    told = ended(runs / case)
    assert [process["error"] for process in told] == ["ValueError"] * 2
    assert all(process["said"].startswith(sentence) for process in told)


def test_copies_take_parameters_without_axes_and_frozen_ones(runs):
    assert [process["step"] for process in ended(runs / "ddp-scalar")] == [2, 2]


def test_the_command_line_in_two_processes(runs, tmp_path):
    folder, config = runs / "command", runs / "command" / "run.yaml"
    assert ended(folder) == [{}, {}]
    first, second = said(folder)
    assert first.count("trained 6 steps") == 1 and second == ""
    assert main(["train", "--config", str(config), "--out", str(tmp_path / "alone")]) == 0
    assert [row["step"] for row in rows(folder / "r")] == [0, 2, 3, 4, 6]
    # The three samples for validation are shared unequally.
    assert_same_log(folder / "r", tmp_path / "alone", tolerance=1e-10)


def test_the_command_line_refuses_with_one_sentence_of_the_first_process(runs):
    first, second = said(runs / "command-refused")
    assert first.splitlines() == [
        "vcycle: 3 samples cannot be divided into 2 equal parts: the number of processes times accumulate must divide "
        "the batch"
    ]
    assert second == ""
    assert not (runs / "command-refused" / "refused").exists()


def test_one_process_is_nobody_else():
    with processes() as world:
        assert world == Processes(0, 1) and world.first
        assert world.agreed(None) is None and world.agreed(15) == 15
        x = torch.arange(3.0)
        assert world.mean(x) is x and world.gathered(x) is x and world.same("a") == "a"
        with pytest.raises(KeyError):
            world.together(lambda: {}["missing"])


@pytest.mark.parametrize(("count", "size"), [(5, 2), (1, 4), (8, 4), (7, 3)])
def test_shares_in_a_row_are_everything_first(count, size):
    shares = [Processes(rank, size).share(count) for rank in range(size)]
    assert len({len(share) for share in shares}) == 1
    assert np.concatenate(shares)[:count].tolist() == list(range(count))


def test_the_program_can_be_run_as_a_module():
    line = [sys.executable, "-m", "vcycle", "--version"]
    assert subprocess.run(line, capture_output=True, text=True, timeout=100).stdout.startswith("vcycle ")
