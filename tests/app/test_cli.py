"""Help is quick, options arrive where they belong, and what goes wrong is said in one sentence."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

import vcycle
from vcycle.app.cli import main
from vcycle.jobs.config import DataConfig, TrainConfig
from vcycle.training import Diverged, Result


@pytest.fixture
def jobs(monkeypatch):
    """The verbs, replaced by a record of their calls."""
    calls = SimpleNamespace()

    def replace(verb: str, answer=None) -> None:
        def fake(*args, **kwargs):
            vars(calls)[verb] = (args, kwargs)
            if isinstance(answer, BaseException):
                raise answer
            return answer

        monkeypatch.setitem(vars(vcycle.jobs), verb, fake)

    calls.replace = replace
    return calls


RESULT = Result(Path("R"), 10, 10, "finished", 8, {"loss": 0.5}, 3.2)


@pytest.mark.parametrize(
    "line",
    [
        [],
        ["generate"],
        ["chaos"],
        ["convert"],
        ["train"],
        ["calibrate"],
        ["evaluate"],
        ["predict"],
        ["solve"],
        ["export"],
    ],
)
def test_help_needs_no_torch(line):
    code = (
        "import sys; from vcycle.app.cli import main\n"
        f"try: main({[*line, '--help']!r})\n"
        "except SystemExit as end: assert end.code == 0\n"
        "sys.exit('torch' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert f"usage: vcycle{' ' * bool(line)}{' '.join(line)}" in ended.stdout


def test_help_comes_at_once():
    def seconds() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "vcycle.app.cli", "--help"], check=True, capture_output=True)
        return time.perf_counter() - start

    assert min(seconds() for _ in range(5)) < 0.3  # 0.04 s on an idle machine


def test_train_help_lists_every_option_with_its_default(capsys):
    assert main(["train", "--help"]) == 0
    text = capsys.readouterr().out
    assert "--optimizer.lr number" in text and "(default 0.001)" in text
    assert "--network mgno|fno" in text and "(default mgno)" in text
    assert "--out text" in text and "(required)" in text
    assert max(map(len, text.splitlines())) <= 120


def test_help_shows_the_options_of_the_network_that_is_asked_for(capsys):
    assert main(["train", "--help"]) == 0
    short = capsys.readouterr().out
    assert "vcycle train --network NAME --help" in short and "--network.width" not in short
    assert main(["train", "--network", "lsm", "--help"]) == 0
    lsm = capsys.readouterr().out
    assert "--network.tokens integer" in lsm and "--network.gamma" not in lsm
    assert "vcycle train --problem NAME --help" in lsm
    assert main(["generate", "darcy", "--help"]) == 0
    darcy = capsys.readouterr().out
    assert "--prior.low number" in darcy and "--omega" not in darcy


def test_a_problem_is_named_either_way(capsys):
    for line in (["generate", "heat"], ["generate", "--problem", "heat"]):
        assert main([*line, "--out", "D", "--print-config"]) == 0
        assert yaml.safe_load(capsys.readouterr().out)["problem"]["name"] == "heat"


def test_a_reader_that_has_seen_enough_is_no_error():
    line = f"{sys.executable} -m vcycle.app.cli train --network fno --help | head -1"
    ended = subprocess.run(line, shell=True, capture_output=True, text=True)
    assert ended.stdout.startswith("usage: vcycle train") and ended.stderr == ""


def test_train_hands_over_the_configuration(jobs, capsys):
    jobs.replace("train", RESULT)
    assert main(["train", "--problem", "darcy", "--network", "mgno", "--loss", "bound", "--out", "R"]) == 0
    (config,), _ = jobs.train
    assert config == TrainConfig(out="R", problem=config.problem, loss="bound")
    assert "the weights of step 8 are kept (validation: loss 0.5)" in capsys.readouterr().out


def test_chaos_hands_over_the_system(jobs):
    jobs.replace("chaos")
    assert main(["chaos", "Lorenz", "--states", "5", "--out", "D"]) == 0
    _, options = jobs.chaos
    assert (options["system"], options["states"], options["out"]) == ("Lorenz", 5, "D")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_exits_with_the_signals_status(number, jobs, capsys):
    jobs.replace("train", Result(Path("R"), 3, 10, "interrupted", 0, {"loss": 0.5}, 1.0, interrupted=int(number)))
    assert main(["train", "--problem", "darcy", "--out", "R"]) == 128 + number
    assert "the same command goes on from there" in capsys.readouterr().out


def test_print_config_and_config_are_inverse(jobs, capsys, tmp_path):
    line = [
        "--problem",
        "darcy",
        "--out",
        "R",
        "--network",
        "fno",
        "--optimizer.lr",
        "1e-4",
        "--problem.prior",
        "lognormal",
    ]
    assert main(["train", *line, "--print-config"]) == 0
    printed = capsys.readouterr().out
    (tmp_path / "c.yaml").write_text(printed)
    assert main(["train", "--config", str(tmp_path / "c.yaml"), "--print-config"]) == 0
    assert capsys.readouterr().out == printed
    assert main(["train", "--config", str(tmp_path / "c.yaml"), "--optimizer.lr", "0.5", "--print-config"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["optimizer"]["lr"] == 0.5


def test_generate(jobs):
    jobs.replace("generate")
    line = "generate darcy --samples 5 --resolution 32 --seed 4 --out D --workers 2"
    assert (
        main(
            [
                *line.split(),
                "--prior.name",
                "high_contrast",
                "--prior.contrast",
                "1e6",
                "--boundary",
                "neumann,dirichlet",
            ]
        )
        == 0
    )
    (problem,), options = jobs.generate
    assert (problem.name, problem.prior.contrast) == ("darcy", 1e6)
    assert problem.domain.boundary == (("neumann", "neumann"), ("dirichlet", "dirichlet"))
    assert {name: options[name] for name in ("samples", "resolution", "seed", "out", "workers")} == {
        "samples": 5,
        "resolution": 32,
        "seed": 4,
        "out": "D",
        "workers": 2,
    }


def test_evaluate(jobs):
    jobs.replace("evaluate")
    plain = {"split": "test", "samples": None, "resolutions": None, "tighten": 0, "lyapunov": None, "out": None}
    plain |= {"machine": None, "accelerator": "auto"}
    assert main(["evaluate", "RUN"]) == 0
    assert jobs.evaluate == (("RUN", None), plain)
    line = "evaluate RUN --split test_32 --samples 9 --resolutions 32,128 --tighten 1 --out E"
    assert main(line.split()) == 0
    given = {"split": "test_32", "samples": 9, "resolutions": [32, 128], "tighten": 1, "out": "E"}
    assert jobs.evaluate == (("RUN", None), plain | given)
    raw = "--data d.npz --input-field x --output-field y --boundary dirichlet --placement cell --extents 1,2"
    assert main(["evaluate", "RUN", *raw.split()]) == 0
    fields = {"input_field": ["x"], "output_field": ["y"]}
    expected = DataConfig(path="d.npz", **fields, boundary="dirichlet", extents=[1.0, 2.0], placement="cell")
    assert jobs.evaluate == (("RUN", expected), plain)


def test_predict_and_solve(jobs):
    jobs.replace("predict")
    jobs.replace("solve", SimpleNamespace(verified=True))
    files = ["RUN", "--input", "a.npy", "--out", "u.npy"]
    assert main(["predict", *files, "--tighten", "1", "--form", "continuum"]) == 0
    given = {"output": "u.npy", "tighten": 1, "form": "continuum", "accelerator": "auto"}
    assert jobs.predict == (("RUN", "a.npy"), given)
    assert main(["predict", *files, "--accelerator", "cpu"]) == 0
    assert jobs.predict == (("RUN", "a.npy"), given | {"tighten": 0, "form": "discrete", "accelerator": "cpu"})
    assert main(["solve", *files, "--tolerance", "1e-6"]) == 0
    assert jobs.solve == (("RUN", "a.npy", 1e-6, "u.npy", "auto"), {})
    jobs.replace("march", SimpleNamespace(verified=True))
    assert main(["solve", *files, "--steps", "7"]) == 0
    assert jobs.march == (("RUN", "a.npy", 7, 1e-2, "u.npy", "auto"), {})
    jobs.replace("solve", SimpleNamespace(verified=False))
    assert main(["solve", *files]) == 1
    assert jobs.solve == (("RUN", "a.npy", 1e-8, "u.npy", "auto"), {})


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (
            ValueError("the data are periodic,\n the network is dirichlet"),
            2,
            "the data are periodic, the network is dirichlet",
        ),
        (FileNotFoundError(2, "No such file or directory", "a.npy"), 2, "a.npy: No such file or directory"),
        (Diverged("the loss is nan at step 3: lower the learning rate"), 1, "the loss is nan at step 3: lower the"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_a_status(error, status, said, jobs, capsys):
    jobs.replace("predict", error)
    assert main(["predict", "RUN", "--input", "a.npy", "--out", "u.npy"]) == status
    shown = capsys.readouterr().err
    assert said in shown and shown.count("\n") == 1


def test_bugs_are_not_dressed_up(jobs):
    jobs.replace("predict", KeyError("x"))
    with pytest.raises(KeyError):
        main(["predict", "RUN", "--input", "a.npy", "--out", "u.npy"])
    jobs.replace("predict", ValueError("x"))
    with pytest.raises(ValueError, match="x"):
        main(["--debug", "predict", "RUN", "--input", "a.npy", "--out", "u.npy"])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "train --problem darcy --out R --network.widht 3",
            "unknown option --network.widht: did you mean --network.width?",
        ),
        ("train --config missing.yaml", "cannot read missing.yaml: No such file or directory"),
        ("generate poison --out D", "--problem cannot be 'poison': did you mean 'poisson'? known: darcy"),
        ("evaluate RUN --input-field x", "--input-field describes a file of arrays: give it as --data"),
    ],
)
def test_wrong_requests(line, said, capsys):
    assert main(line.split()) == 2
    assert capsys.readouterr().err.startswith(f"vcycle: {said}")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "command"),
        ("trian", "invalid choice: 'trian'"),
        ("predict RUN", "--input"),
        ("predict RUN --input a --out u --tightn 1", "predict does not know --tightn"),
        ("evaluate RUN --resolutions 32,x", "argument --resolutions"),
        ("predict RUN --input a --out u --form weak", "invalid choice: 'weak'"),
    ],
)
def test_wrong_command_lines(line, said, capsys):
    with pytest.raises(SystemExit) as end:
        main(line.split())
    assert end.value.code == 2
    shown = capsys.readouterr().err
    assert said in shown and shown.count("\n") == 1


@pytest.mark.parametrize(("verb", "name"), [("problems", "darcy"), ("networks", "mgno")])
def test_lists(verb, name, capsys):
    assert main([verb]) == 0
    assert name in capsys.readouterr().out


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"vcycle {vcycle.__version__}\n"
