"""An interrupted run and an uninterrupted one end with the same bits; numbers that are none stop a run with advice."""

import csv
import importlib.util
import json
import math
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from vcycle.spaces import Domain
from vcycle.training import Batch, Constant, Diverged, FieldStream, Optimizer, Settings, l2, train

SCRIPT = Path(__file__).with_name("tiny_run.py")
spec = importlib.util.spec_from_file_location("tiny_run", SCRIPT)
assert spec is not None and spec.loader is not None
tiny_run = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tiny_run)


def rows(folder: Path) -> list[dict]:
    parsed = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if name != "seconds"} for row in parsed]


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    final = load_file(folder / "checkpoint" / "state.safetensors")
    return final | {f"weights.{name}": t for name, t in load_file(folder / "weights.safetensors").items()}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted")
    result = tiny_run.run(folder)
    assert (result.step, result.ended, result.interrupted) == (60, "finished", None)
    return folder


INTERRUPTED = {"SIGINT:33": 34, "SIGTERM:19": 20, "SIGKILL:44": 25, "in-checkpoint:0": 25}


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """The folder of the interrupted runs, and the exit status of each."""
    folder = tmp_path_factory.mktemp("interrupted")
    command = [sys.executable, str(SCRIPT), str(folder), *INTERRUPTED]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=500)
    assert ended.returncode == 0, ended.stderr
    return folder, json.loads(ended.stdout)


@pytest.mark.parametrize(("case", "resumes_at"), INTERRUPTED.items())
def test_interrupted_and_resumed_has_the_same_bits(case, resumes_at, uninterrupted, interrupted):
    folder, statuses = interrupted[0] / case, interrupted[1]
    how = case.split(":")[0]
    if how in ("SIGINT", "SIGTERM"):
        assert statuses[case] == 0
        expected = f"stopped by {how} after step {resumes_at} of 60: the same command goes on from there"
        assert (folder / "said.txt").read_text().startswith(expected)
    else:
        assert statuses[case] == -signal.SIGKILL

    seen = []
    inputs, targets = tiny_run.fields()
    stream = FieldStream(inputs[:32], targets[:32], batch=5, seed=17)
    result = tiny_run.run(folder, stream=lambda s: (seen.append(s), stream(s))[1])
    assert seen == list(range(resumes_at, 60))
    assert result.ended == "finished"

    expected, got = tensors(uninterrupted), tensors(folder)
    assert expected.keys() == got.keys()
    assert all(torch.equal(expected[name], got[name]) for name in expected)
    assert rows(folder) == rows(uninterrupted)


def test_signals_act_as_before_after_training(tmp_path):
    def before(*_):
        raise AssertionError("nobody sends a signal")

    old = {number: signal.signal(number, before) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        tiny_run.run(tmp_path / "run")
        assert all(signal.getsignal(number) is before for number in old)
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def test_a_finished_run_is_not_trained_again(uninterrupted):
    before = tensors(uninterrupted)

    def nothing(step: int) -> Batch:
        raise AssertionError(f"step {step} was asked for")

    result = tiny_run.run(uninterrupted, stream=nothing)
    assert (result.step, result.ended) == (60, "finished")
    assert all(torch.equal(before[name], t) for name, t in tensors(uninterrupted).items())


def test_training_leaves_the_callers_random_numbers_and_threads(tmp_path):
    torch.manual_seed(1)
    tiny_run.Tiny()  # draws as many numbers as the run's own construction
    expected = torch.rand(3)
    torch.manual_seed(1)
    tiny_run.run(tmp_path, replace(tiny_run.SETTINGS, steps=5))
    assert torch.equal(torch.rand(3), expected)


def test_log_rows_fall_where_the_settings_say_and_csv_agrees(uninterrupted):
    logged = rows(uninterrupted)
    due = sorted({0, 60, *range(7, 60, 7), *range(20, 60, 20)})
    assert [row["step"] for row in logged] == due
    assert [row["step"] for row in logged if row["validation_loss"] is not None] == [0, 20, 40, 60]
    assert all(row["epoch"] == pytest.approx(row["step"] * 5 / 32) for row in logged)
    with open(uninterrupted / "log.csv", newline="") as file:
        table = list(csv.DictReader(file))
    for name in ("step", "learning_rate", "loss", "gradient_norm", "validation_loss"):
        assert [row[name] or None for row in table] == [None if r[name] is None else str(r[name]) for r in logged]


def test_the_kept_weights_are_those_of_the_best_validation(uninterrupted):
    best = min((r for r in rows(uninterrupted) if r["validation_loss"] is not None), key=lambda r: r["validation_loss"])
    network = tiny_run.Tiny()
    network.load_state_dict(load_file(uninterrupted / "weights.safetensors"))
    inputs, targets = tiny_run.fields()
    batch = Batch(inputs[32:], targets[32:])
    with torch.no_grad():
        loss = float(l2(Domain.unit(2))(network.eval()(batch.inputs), batch).mean())
    assert loss == pytest.approx(best["validation_loss"], rel=1e-6)


def test_a_run_with_other_settings_is_refused_with_the_difference(uninterrupted):
    settings = replace(tiny_run.SETTINGS, clip=1.0)
    with pytest.raises(ValueError, match=r"holds a run with clip = 0\.5, not 1\.0: .* new folder"):
        tiny_run.run(uninterrupted, settings)
    with pytest.raises(ValueError, match=r"holds a run with schedule = .*OneCycle.*not .*Constant"):
        tiny_run.run(uninterrupted, replace(tiny_run.SETTINGS, schedule=Constant()))


@pytest.mark.parametrize("left", [b"", b"xx", 300, -1])
def test_a_damaged_checkpoint_is_named_with_the_next_step(left, uninterrupted, tmp_path):
    content = (uninterrupted / "checkpoint" / "state.safetensors").read_bytes()
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "state.safetensors").write_bytes(content[:left] if isinstance(left, int) else left)
    with pytest.raises(ValueError, match=r"state.safetensors is damaged .*copy it back, or remove it to train again"):
        tiny_run.run(tmp_path)


class Shift(nn.Module):
    """u = a + p, and nan for an input that is nan: as simple as a network can be."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor(p))

    def forward(self, a: torch.Tensor) -> torch.Tensor:
        return a + self.p


def shifted(folder: Path, stream, *, metrics=None, **changes):
    """Fit p = 2; the validation loss is |p - 2| unless a list of values is given."""
    network, told = Shift(0.0), iter(metrics or [])

    def validate(module: nn.Module) -> dict[str, float]:
        value = float(module.get_parameter("p"))
        return {"loss": next(told) if metrics else abs(value - 2)}

    settings = Settings(**{"steps": 50, "optimizer": Optimizer(lr=0.1), "schedule": Constant()} | changes)
    return train(network, stream, l2(Domain.unit(1)), validate, settings, folder)


def ones(step: int) -> Batch:
    return Batch(torch.ones(2, 1, 4), torch.full((2, 1, 4), 3.0))


def test_nan_stops_the_run_with_advice_and_keeps_the_last_good_state(tmp_path):
    def poisoned(step: int) -> Batch:
        batch = ones(step)
        return Batch(batch.inputs * math.nan, batch.targets) if step == 33 else batch

    with pytest.raises(Diverged) as caught:
        shifted(tmp_path, poisoned, validate_every=10, checkpoint_every=10)
    message = str(caught.value)
    assert "the loss is nan at step 34" in message
    assert "lower the learning rate (now 0.1)" in message and "clip" in message and "data" in message
    assert "\n" not in message
    state = load_file(tmp_path / "checkpoint" / "state.safetensors")
    assert all(torch.isfinite(t).all() for t in state.values())
    assert torch.isfinite(load_file(tmp_path / "weights.safetensors")["p"])
    assert not list(tmp_path.rglob("*.tmp"))


class Dead(nn.Module):
    """relu(p) + 1 with p < 0, as behind a spike of the loss: its weights change nothing."""

    def __init__(self):
        super().__init__()
        self.p = nn.Parameter(torch.tensor(-1.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 0 + self.p.relu() + 1


def test_a_network_that_has_died_stops_the_run(tmp_path):
    settings = Settings(steps=50, log_every=5)
    with pytest.raises(Diverged, match=r"the gradient is 0 at step 1, where the loss is 0\.667: no weight changes .*"):
        train(Dead(), ones, l2(Domain.unit(1)), lambda network: {"loss": 1.0}, settings, tmp_path)


def test_patience_counts_validations_without_improvement(tmp_path):
    values = [1.0, 0.5, 0.6, 0.4, 0.5, 0.4, 0.1]
    result = shifted(tmp_path, ones, metrics=values, patience=2, validate_every=5)
    assert (result.ended, result.step, result.best_step, result.best) == ("patience", 25, 15, {"loss": 0.4})
    assert shifted(tmp_path, ones, metrics=[0.0], patience=2, validate_every=5).step == 25


def test_an_unknown_metric_to_select_by_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no validation metric is called 'h1': select one of loss"):
        shifted(tmp_path, ones, select="h1")


def test_the_gradient_is_clipped_to_its_norm(tmp_path):
    # d/dp mean ||a + p - u|| / ||u|| is -1/3 here; plain descent through Adam hides lengths, so look at the log.
    shifted(tmp_path, ones, steps=1, clip=0.1)
    assert rows(tmp_path)[-1]["gradient_norm"] == pytest.approx(1 / 3, rel=1e-5)
    state = load_file(tmp_path / "checkpoint" / "state.safetensors")
    assert float(state["optimizer.0.exp_avg"]) == pytest.approx(-0.1 * 0.1, rel=1e-4)


@pytest.mark.parametrize(("precision", "dtype"), [("64-true", torch.float64), ("bf16-mixed", torch.float32)])
def test_precisions(precision, dtype, tmp_path):
    result = shifted(tmp_path, ones, precision=precision, accelerator="cpu")
    assert result.best["loss"] < 0.1
    assert load_file(tmp_path / "weights.safetensors")["p"].dtype == dtype


def test_half_precision_without_a_gpu_is_refused(tmp_path):
    with pytest.raises(ValueError, match="precision 16-mixed needs a CUDA device"):
        shifted(tmp_path, ones, precision="16-mixed", accelerator="cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_missing_gpu_is_said_in_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="there is no CUDA device: use auto or cpu"):
        shifted(tmp_path, ones, accelerator="cuda")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "16-mixed"])
def test_on_a_gpu(precision, tmp_path):
    result = shifted(tmp_path, ones, precision=precision, accelerator="cuda")
    assert result.best["loss"] < 0.1
