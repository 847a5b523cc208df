"""A run folder says everything about a run, is gone on with, and is never mixed with another run."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from vcycle import networks
from vcycle.app.cli import main
from vcycle.data import DataError, Dataset, generate
from vcycle.jobs import train
from vcycle.jobs.config import TrainConfig
from vcycle.jobs.configure import merge, read_file, resolve
from vcycle.jobs.criteria import loss_named
from vcycle.jobs.equation_losses import bound
from vcycle.jobs.option_errors import ConfigError
from vcycle.jobs.tasks import FreshInputs, derived_seed, task
from vcycle.networks import Normalised
from vcycle.operators import Affine
from vcycle.problems import Darcy, LogNormal
from vcycle.spaces import Domain, Energy
from vcycle.training import Batch, Result

TINY = {
    "network": {"name": "mgno", "width": 6, "depth": 2, "levels": 3},
    "validation_samples": 6,
    "batch": 4,
    "steps": 24,
    "validate_every": 8,
    "checkpoint_every": 5,
    "optimizer": {"lr": 5e-3},
    "accelerator": "cpu",
    "threads": 1,
}
ON_EQUATION = TINY | {"problem": "darcy", "resolution": 16, "loss": "bound"}


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "weights.safetensors")


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    generate(Darcy(prior=LogNormal()), 40, 16, 3, folder, workers=1, progress=False)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("run")
    folder.rmdir()
    return folder, train(ON_EQUATION, out=str(folder))


class TestFolder:
    def test_the_bound_alone_teaches_the_solution(self, run):
        folder, result = run
        rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        first = rows[0]
        assert result.best["loss"] < 0.6 * first["validation_loss"]
        assert result.best["l2"] < 0.6 * first["validation_l2"]

    def test_the_configuration_is_complete_and_reads_back(self, run):
        folder, _ = run
        config = resolve(TrainConfig, read_file(folder / "config.yaml"))
        settled = {"out": str(folder), "network": {"resolution": [16, 16]}}
        assert config == resolve(TrainConfig, merge(ON_EQUATION, settled, TrainConfig))

    def test_the_surrogate_can_be_rebuilt_from_the_folder(self, run):
        folder, result = run
        about = yaml.safe_load((folder / "surrogate.yaml").read_text())
        assert about["problem"] == Darcy().to_dict()
        assert (about["input_names"], about["output_names"]) == (["a"], ["u"])
        assert (about["placement"], about["resolution"]) == ("cell", [16, 16])
        assert about["network"]["resolution"] == [16, 16]  # stencils belong to the training grid
        domain = Domain(**about["domain"])
        bare = networks.build(about["network"], 1, 1, domain)
        network = Normalised(bare, Affine.identity(1, 2), Affine.identity(1, 2))
        network.load_state_dict(weights(folder))
        held_out = task(resolve(TrainConfig, read_file(folder / "config.yaml"))).validation
        batch = Batch(held_out.inputs, held_out.outputs)
        with torch.no_grad():
            v = network.eval()(held_out.inputs.float()).double()
        assert float(bound(Darcy())(v, batch).mean()) == pytest.approx(result.best["loss"], rel=1e-4)

    def test_the_same_command_on_a_finished_run_does_nothing(self, run):
        folder, result = run
        before = weights(folder)
        again = train(ON_EQUATION, out=str(folder))
        assert (again.step, again.best) == (result.step, result.best)
        assert same(weights(folder), before)

    def test_the_same_configuration_gives_the_same_weights(self, run, tmp_path):
        torch.manual_seed(1)
        expected = torch.rand(2)
        torch.manual_seed(1)
        train(resolve(TrainConfig, ON_EQUATION | {"out": str(tmp_path / "r")}))
        assert torch.equal(torch.rand(2), expected)
        assert same(weights(tmp_path / "r"), weights(run[0]))

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"network": {"width": 8}}, "holds a run with --network.width 6, now 8 was asked for"),
            ({"problem": {"prior": "lognormal"}}, "holds a run with --problem.prior.name two_phase, now lognormal"),
            ({"steps": 25}, "holds a run with --steps 24, now 25 was asked for"),
        ],
    )
    def test_another_configuration_is_refused_with_the_difference(self, change, said, run):
        with pytest.raises(ConfigError, match=said):
            train(resolve(TrainConfig, ON_EQUATION | {"out": str(run[0])}), **change)

    def test_what_does_not_change_the_result_may_change(self, run):
        assert train(ON_EQUATION, out=str(run[0]), checkpoint_every=7).step == 24

    def test_a_folder_of_something_else_is_refused(self, tmp_path):
        (tmp_path / "thesis.tex").touch()
        with pytest.raises(ConfigError, match="holds no run: give another folder as --out"):
            train(ON_EQUATION, out=str(tmp_path))


class TestInterruption:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_the_same_command_goes_on_to_the_same_bits(self, number, run, tmp_path, monkeypatch, capsys):
        out, draw = tmp_path / "r", FreshInputs.part

        def hit(self, step, index, count):
            if step == 12:
                os.kill(os.getpid(), number)
            return draw(self, step, index, count)

        monkeypatch.setattr(FreshInputs, "part", hit)
        config = tmp_path / "c.yaml"
        config.write_text(yaml.safe_dump(ON_EQUATION))
        command = ["train", "--config", str(config), "--out", str(out)]
        assert main(command) == 128 + number
        assert "the same command goes on from there" in capsys.readouterr().out
        monkeypatch.undo()
        assert main(command) == 0
        assert "going on from step 13 of 24" in " ".join(capsys.readouterr().err.split())
        assert same(weights(out), weights(run[0]))

    def test_ctrl_c_at_any_moment_of_the_real_program(self, tmp_path):
        config = tmp_path / "c.yaml"
        config.write_text(yaml.safe_dump(ON_EQUATION | {"steps": 100_000}))
        command = [
            sys.executable,
            "-m",
            "vcycle.app.cli",
            "train",
            "--config",
            str(config),
            "--out",
            str(tmp_path / "r"),
        ]
        program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert program.stderr is not None
        program.stderr.readline()  # the first line of progress
        program.send_signal(signal.SIGINT)
        said, trouble = program.communicate(timeout=300)
        assert program.returncode == 130
        assert "stopped by SIGINT" in said
        assert "Traceback" not in trouble

    def test_divergence_is_a_sentence_and_status_1(self, tmp_path, capsys):
        config = tmp_path / "c.yaml"
        config.write_text(yaml.safe_dump(ON_EQUATION | {"optimizer": {"lr": 1e30}}))
        assert main(["train", "--config", str(config), "--out", str(tmp_path / "r")]) == 1
        complaint = capsys.readouterr().err.splitlines()[-1]
        assert "lower the learning rate (now 1e+30)" in complaint
        assert all(torch.isfinite(t).all() for t in weights(tmp_path / "r").values())


class TestData:
    def test_epochs_are_passes_through_the_training_split(self, data, tmp_path):
        result = train(TINY, steps=None, epochs=3, data=str(data), out=str(tmp_path / "r"))
        assert result.steps == 3 * 32 / 4
        last = json.loads((tmp_path / "r" / "log.jsonl").read_text().splitlines()[-1])
        assert last["epoch"] == 3.0
        assert (
            last["validation_h1"]
            < json.loads((tmp_path / "r" / "log.jsonl").read_text().splitlines()[0])["validation_h1"]
        )

    @pytest.mark.parametrize("loss", ["l2", "energy", "bound"])
    def test_generated_data_know_their_equation(self, loss, data, tmp_path):
        result = train(TINY, steps=8, data=str(data), loss=loss, out=str(tmp_path / "r"))
        assert result.ended == "finished"
        about = yaml.safe_load((tmp_path / "r" / "surrogate.yaml").read_text())
        assert about["problem"] == Darcy(prior=LogNormal()).to_dict()

    def test_validation_is_the_validation_split_and_never_the_test(self, data):
        opened = Dataset.open(data)
        subject = task(resolve(TrainConfig, TINY | {"data": str(data), "out": "R", "validation_samples": None}))
        assert torch.equal(subject.validation.inputs, opened.split("validation").read(range(4)).inputs)
        seen = torch.cat([subject.stream(step).inputs for step in range(16)])
        test = opened.split("test").read(range(4)).inputs.float()
        assert not any(torch.equal(a, b) for a in seen for b in test)

    def test_another_boundary_than_the_datas_is_refused(self, data):
        given = {"name": "darcy", "boundary": "periodic", "source": "gaussian"}
        with pytest.raises(DataError, match=r"the data are dirichlet\|dirichlet along x, the problem is periodic"):
            train(TINY, data=str(data), problem=given, out="R")

    def test_another_problem_than_the_datas_is_refused(self, data):
        with pytest.raises(DataError, match=r"the data were made for .*sigma=1.* not for .*TwoPhase"):
            train(TINY, data=str(data), problem="darcy", out="R")


class TestFilesOfArrays:
    @pytest.fixture
    def file(self, data, tmp_path) -> Path:
        pairs = Dataset.open(data).split("train").read(range(24))
        path = tmp_path / "own.npz"
        np.savez(path, x=pairs.inputs[:, 0].numpy(), y=pairs.outputs[:, 0].numpy())
        return path

    def options(self, file: Path, **changes) -> dict:
        raw = {"path": str(file), "input_field": "x", "output_field": "y", "boundary": "dirichlet"}
        return TINY | {"steps": 8, "data": raw | changes, "out": str(file.parent / "r")}

    def test_are_trained_on(self, file):
        assert train(self.options(file), loss="h1").ended == "finished"
        about = yaml.safe_load((file.parent / "r" / "surrogate.yaml").read_text())
        assert about["problem"] is None
        assert about["domain"] == Domain.unit(2).to_dict()

    def test_need_the_equation_for_the_bound(self, file):
        with pytest.raises(ValueError, match="loss bound needs the equation, which these data lack: give --problem"):
            train(self.options(file), loss="bound")
        assert train(self.options(file), loss="bound", problem="darcy").ended == "finished"

    def test_must_say_what_holds_at_the_boundary(self, file):
        with pytest.raises(ConfigError, match="--boundary is missing"):
            train(self.options(file, boundary=None))

    def test_descriptions_of_data_that_describe_themselves_are_refused(self, data):
        with pytest.raises(ConfigError, match=r"--boundary describes a file of arrays, but .* says all that itself"):
            train(TINY, data={"path": str(data), "boundary": "dirichlet"}, out="R")


class TestEquation:
    def test_training_validation_scaling_and_generated_data_share_no_sample(self):
        subject = task(resolve(TrainConfig, ON_EQUATION | {"out": "R", "problem": {"prior": "lognormal"}}))
        drawn = [subject.stream(step).inputs for step in range(8)] + [subject.validation.inputs, subject.sample.inputs]
        drawn.append(Darcy(prior=LogNormal()).sample((16, 16), 0, range(40)))
        flat = torch.cat(drawn).flatten(1)
        assert torch.unique(flat, dim=0).shape == flat.shape

    def test_seeds_of_different_purposes_differ_from_all_seeds_that_people_give(self):
        seeds = {derived_seed(seed, purpose) for seed in range(50) for purpose in ("training", "validation", "scaling")}
        assert len(seeds) == 150
        assert min(seeds) > 2**32

    def test_the_bound_needs_no_labels_and_other_losses_get_them(self):
        without = task(resolve(TrainConfig, ON_EQUATION | {"out": "R"}))
        assert without.stream(0).targets is None
        labelled = task(resolve(TrainConfig, ON_EQUATION | {"out": "R", "loss": "h1"})).stream(0)
        assert float(Darcy().residual(labelled.inputs, labelled.targets).max()) < 1e-8

    @pytest.mark.parametrize("boundary", ["dirichlet", "periodic", [["dirichlet", "neumann"], "neumann"]])
    def test_the_bound_loss_is_one_at_zero_small_at_the_solution_and_above_the_energy_error(self, boundary):
        given = {"name": "darcy", "boundary": boundary, "source": "gaussian"}
        subject = task(resolve(TrainConfig, ON_EQUATION | {"out": "R", "problem": given}))
        loss = loss_named("bound", subject)
        # In single precision, as training hands it over.
        batch = Batch(subject.validation.inputs.float(), subject.validation.outputs.float())
        u = batch.targets
        assert torch.allclose(loss(torch.zeros_like(u), batch), torch.ones(6, dtype=torch.float64))
        assert float(loss(u, batch).max()) < 1e-4
        v = u * (1 + 0.1 * torch.rand(u.shape, generator=torch.Generator().manual_seed(3)))
        relative = Energy(subject.domain, batch.inputs[:, :1]).relative(v, u)
        energy_of_bound_at_zero = Energy(subject.domain, batch.inputs[:, :1])(u)
        assert (loss(v, batch) >= 0.3 * relative).all()
        assert energy_of_bound_at_zero.isfinite().all()

    def test_the_network_sees_the_logarithm_of_the_coefficient_unless_told_otherwise(self, tmp_path):
        for number, (given, log) in enumerate([({}, True), ({"log_inputs": []}, False)]):
            out = tmp_path / str(number)
            train(ON_EQUATION, **given, steps=1, problem={"prior": "lognormal"}, out=str(out))
            assert bool(weights(out)["log"]) == log
            assert (abs(float(weights(out)["encode.shift"])) < 0.2) == log  # E log a = 0, E a = exp(1/2)

    @pytest.mark.parametrize(
        ("names", "said"),
        [(["b"], "there is no input 'b' to take the logarithm of: known a, f"), (["f"], "input 'f' has no logarithm")],
    )
    def test_logarithms_that_do_not_exist_are_refused(self, names, said):
        with pytest.raises(ValueError, match=said):
            train(ON_EQUATION, problem={"source": "gaussian"}, log_inputs=names, out="R")

    def test_without_a_dirichlet_face_predictions_have_mean_zero(self, tmp_path):
        given = {"name": "darcy", "boundary": "periodic", "source": "gaussian"}
        train(ON_EQUATION, problem=given, steps=2, out=str(tmp_path / "r"))
        assert bool(weights(tmp_path / "r")["zero_mean"])

    @pytest.mark.parametrize("dimension", [1, 3])
    def test_other_dimensions(self, dimension, tmp_path):
        given = {"name": "darcy", "dimension": dimension}
        result = train(
            ON_EQUATION, problem=given, resolution=8, steps=2, network={"levels": 2}, out=str(tmp_path / "r")
        )
        assert result.ended == "finished"

    def test_a_resolution_that_does_not_fit_the_axes_is_refused(self):
        with pytest.raises(ValueError, match=r"resolution .* does not fit .*: give one number, or one per axis"):
            train(ON_EQUATION, resolution=[16, 16, 16], out="R")

    def test_a_run_that_cannot_start_leaves_no_folder(self, tmp_path):
        with pytest.raises(ValueError, match="take fewer levels"):
            train(ON_EQUATION, resolution=8, network={"name": "mgno", "levels": 6}, out=str(tmp_path / "r"))
        assert not (tmp_path / "r").exists()
