"""What can be said on the command line, and who speaks."""

import argparse
import os
import sys
import time
from collections.abc import Mapping
from typing import Any, NoReturn

import vcycle

DESCRIPTION = "Neural operators for PDEs whose every answer says how wrong it can be."
USAGE = 2
RAW = ("input_field", "output_field", "boundary", "extents", "placement", "validation_data", "test_data")
SCALE = "what bands follow: one size (one run), the usual error per point, that and the spread (several runs)"
TOLERANCE = "relative energy error to verify (1e-8); with --steps the relative L2 error of every state (1e-2)"
LEAVE = "a torch.export program, machine code by AOTInductor (needs a C++ compiler), or ONNX"
FORM = "distance to the discrete solution or to the PDE's (discrete)"


class Parser(argparse.ArgumentParser):
    """Options in full, complaints in one sentence."""

    def __init__(self, **settings: Any):
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        say(f"{self.prog}: {message} (--help shows what there is)")
        sys.exit(USAGE)


def build_parser(abouts: Mapping[str, str]) -> Parser:
    """The parser of all commands, each with what it is about; what configures a command is left for `jobs`."""
    parser = Parser(prog="vcycle", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"vcycle {vcycle.__version__}")
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")
    commands = parser.add_subparsers(dest="verb", required=True, metavar="command")

    def command(verb: str, **settings: Any) -> argparse.ArgumentParser:
        about = abouts[verb]
        return commands.add_parser(verb, help=about[:1].lower() + about[1:].rstrip("."), description=about, **settings)

    for verb in ("generate", "chaos", "convert", "train"):
        configured = command(verb, add_help=False)
        configured.add_argument("-h", "--help", action="store_true", dest="show_help")
        configured.add_argument("--config")
        configured.add_argument("--print-config", action="store_true")

    measure = command("evaluate")
    measure.add_argument("run", help="folder of the trained run")
    measure.add_argument("--data", help="folder, own-data YAML or file of arrays; the run's own test data if not given")
    measure.add_argument("--split", default="test", help="test set; those named after it (test_32) come along (test)")
    measure.add_argument("--samples", type=int, help="at most so many samples per set")
    measure.add_argument(
        "--resolutions", type=_integers, metavar="N,N", help="other grids to audit, points per axis; half and double"
    )
    measure.add_argument("--tighten", type=int, default=0, help="V-cycles spent on tighter bounds (0)")
    measure.add_argument("--lyapunov", type=float, help="largest Lyapunov exponent, for steps in time")
    measure.add_argument("--out", help="folder for evaluation.json and report.html; the run's own if not given")
    measure.add_argument("--machine", help="what the report calls this machine")
    _accelerated(measure)
    raw = measure.add_argument_group("a file of arrays needs, as for train")
    for name in RAW:
        raw.add_argument("--" + name.replace("_", "-"), metavar="VALUE")

    tune = command("calibrate")
    tune.add_argument("runs", nargs="+", metavar="run", help="folder of a trained run; several become an ensemble")
    tune.add_argument("--data", help="folder or own-data YAML; the run's own, or fresh samples, if not given")
    tune.add_argument("--split", default="calibration", help="samples that neither trained nor selected (calibration)")
    tune.add_argument("--samples", type=int, help="at most so many samples; all, or 100 fresh ones")
    tune.add_argument("--level", type=float, default=0.9, help="probability with which each bound is to hold (0.9)")
    tune.add_argument("--share", type=float, default=1.0, help="share of the points that a band is to hold at (1)")
    tune.add_argument("--scale", choices=("channel", "residual", "spread"), help=SCALE)
    tune.add_argument("--out", help="folder of the ensemble, for several runs")
    _accelerated(tune)

    for verb in ("predict", "solve"):
        answer = command(verb)
        answer.add_argument("run", help="folder of the trained run")
        answer.add_argument("--input", required=True, help="inputs, .npy of shape (batch, channels, *grid)")
        answer.add_argument("--out", dest="output", help="file for the fields, .npy")
        if verb == "predict":
            answer.add_argument("--tighten", type=int, default=0, help="V-cycles spent on a tighter bound (0)")
            answer.add_argument("--form", choices=("discrete", "continuum"), default="discrete", help=FORM)
        else:
            answer.add_argument("--tolerance", type=float, help=TOLERANCE)
            answer.add_argument("--steps", type=int, metavar="N", help="problems in time: apply the network N times")
        _accelerated(answer)
    leave = command("export")
    leave.add_argument("run", help="folder of the trained run, or of an ensemble")
    leave.add_argument("--format", required=True, choices=("torch", "aoti", "onnx"), help=LEAVE)
    leave.add_argument("--out", required=True, help="file to write; FILE.json beside it says what it takes and gives")
    leave.add_argument("--batch", type=int, metavar="N", help="samples a call; any number if not given")
    leave.add_argument(
        "--resolution", type=_integers, metavar="N[,N]", help="points per axis; the training grid if not given"
    )
    for verb in ("problems", "networks"):
        command(verb)
    return parser


def _accelerated(command: argparse.ArgumentParser) -> None:
    words = "device; a GPU where there is one (auto)"
    command.add_argument("--accelerator", choices=("auto", "cpu", "cuda"), default="auto", help=words)


def _integers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def say(text: object, trouble: bool = True) -> None:
    """Print it; of the processes that torchrun starts and numbers, the first one speaks for all."""
    if "TORCHELASTIC_RUN_ID" not in os.environ or os.environ["RANK"] == "0":
        print(text, file=sys.stderr if trouble else sys.stdout)
    elif trouble:
        time.sleep(2)  # torchrun ends all processes when one fails: the first one has to speak before
