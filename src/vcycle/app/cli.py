"""The command line. Help needs no torch, errors are one sentence."""

import argparse
import itertools
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import vcycle

DESCRIPTION = "Neural operators for PDEs whose every answer says how wrong it can be."
FAILED, USAGE, INTERRUPTED = 1, 2, 130


class Parser(argparse.ArgumentParser):
    """Options in full, complaints in one sentence."""

    def __init__(self, **settings: Any):
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message} (--help shows what there is)", file=sys.stderr)
        sys.exit(USAGE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status is 0, 1 for a computation that failed, 2 for a request that cannot be met,
    128 + the signal's number for an interrupted one."""
    parser = _parser()
    given, rest = parser.parse_known_args(arguments)
    if given.verb not in CONFIGURED and rest:
        parser.error(f"{given.verb} does not know {rest[0]}")
    if given.debug:
        return VERBS[given.verb](given, rest)
    try:
        return VERBS[given.verb](given, rest)
    except BrokenPipeError:  # who reads, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except (ValueError, OSError) as error:
        return _complain(error, USAGE)
    except vcycle.training.Diverged as error:
        return _complain(error, FAILED)


def generate(given: argparse.Namespace, rest: list[str]) -> int:
    """Make data: samples of a problem, solved and verified."""
    config = _configured(given, _named(rest, "problem"), vcycle.jobs.config.GenerateConfig, "problem")
    if config is None:
        return 0
    options = {name: value for name, value in config if name != "problem"}
    print(vcycle.jobs.generate(vcycle.problems.build(config.problem.plain()), **options))
    return 0


def convert(given: argparse.Namespace, rest: list[str]) -> int:
    """Turn data of other programs into ours, and ours into theirs."""
    model = vcycle.jobs.convert_config.ConvertConfig
    config = _configured(given, _named(rest, "source", "out"), model)
    if config is None:
        return 0
    options = {name: value for name, value in config if value is not None}
    print(f"written to {vcycle.jobs.convert(**options)}")
    return 0


def train(given: argparse.Namespace, rest: list[str]) -> int:
    """Train a neural operator, on data or on an equation alone."""
    config = _configured(given, rest, vcycle.jobs.config.TrainConfig, "data")
    if config is None:
        return 0
    result = vcycle.jobs.train(config)
    print(result)
    return 0 if result.interrupted is None else 128 + result.interrupted


def evaluate(given: argparse.Namespace, rest: list[str]) -> int:
    """Measure a trained operator on test data."""
    description = {name: vars(given)[name] for name in RAW if vars(given)[name] is not None}
    if given.data is None and description:
        raise ValueError(f"--{next(iter(description)).replace('_', '-')} describes a file of arrays: give it as --data")
    data = given.data and vcycle.jobs.configure.resolve(
        vcycle.jobs.config.DataConfig, {"path": given.data} | description
    )
    options = {
        name: vars(given)[name] for name in ("split", "samples", "resolutions", "tighten", "lyapunov", "out", "machine")
    }
    print(vcycle.jobs.evaluate(given.run, data, **options))
    return 0


def calibrate(given: argparse.Namespace, rest: list[str]) -> int:
    """Learn from held-out data how wrong a trained operator is."""
    options = {name: vars(given)[name] for name in ("split", "samples", "level", "share", "scale", "out")}
    print(vcycle.jobs.calibrate(given.runs, given.data, **options))
    return 0


def predict(given: argparse.Namespace, rest: list[str]) -> int:
    """Apply a trained operator and bound the error."""
    print(vcycle.jobs.predict(given.run, given.input, given.output, given.tighten, given.form))
    return 0


def solve(given: argparse.Namespace, rest: list[str]) -> int:
    """Solve to a tolerance, starting from a trained operator."""
    solved = vcycle.jobs.solve(given.run, given.input, given.tolerance, given.output)
    print(solved)
    return 0 if solved.verified else FAILED


def problems(given: argparse.Namespace, rest: list[str]) -> int:
    """List the problems."""
    return _list("problem")


def networks(given: argparse.Namespace, rest: list[str]) -> int:
    """List the networks."""
    return _list("network")


VERBS = {
    verb.__name__: verb for verb in (generate, convert, train, calibrate, evaluate, predict, solve, problems, networks)
}
CONFIGURED = ("generate", "convert", "train")
RAW = ("input_field", "output_field", "boundary", "extents", "placement", "validation_data", "test_data")


def _parser() -> Parser:
    parser = Parser(prog="vcycle", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"vcycle {vcycle.__version__}")
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")
    commands = parser.add_subparsers(dest="verb", required=True, metavar="command")

    def command(verb: str, **settings: Any) -> argparse.ArgumentParser:
        about = VERBS[verb].__doc__ or verb
        return commands.add_parser(verb, help=about[:1].lower() + about[1:].rstrip("."), description=about, **settings)

    make = command("generate", add_help=False)
    change = command("convert", add_help=False)
    for configured in (make, change, command("train", add_help=False)):
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

    for verb in ("predict", "solve"):
        answer = command(verb)
        answer.add_argument("run", help="folder of the trained run")
        answer.add_argument("--input", required=True, help="inputs, .npy of shape (batch, channels, *grid)")
        answer.add_argument("--out", dest="output", help="file for the fields, .npy")
        if verb == "predict":
            answer.add_argument("--tighten", type=int, default=0, help="V-cycles spent on a tighter bound (0)")
            answer.add_argument("--form", choices=("discrete", "continuum"), default="discrete", help=FORM)
        else:
            answer.add_argument("--tolerance", type=float, default=1e-8, help="relative energy error to verify (1e-8)")
    for verb in ("problems", "networks"):
        command(verb)
    return parser


SCALE = "what bands follow: one size (one run), the usual error per point, that and the spread (several runs)"
FORM = "distance to the discrete solution or to the PDE's (discrete)"


def _configured(given: argparse.Namespace, rest: list[str], model: Any, home: str | None = None) -> Any:
    """The configuration that options and file make, or None where only help or the configuration was asked for."""
    configure = vcycle.jobs.configure
    if given.show_help:
        about = VERBS[given.verb].__doc__
        print(vcycle.app.option_help.describe(given.verb, about, model, home, configure.parse(rest, model, home)))
        return None
    changes = configure.parse(rest, model, home)
    base = configure.read_file(given.config) if given.config is not None else {}
    config = configure.resolve(model, configure.merge(base, changes, model), home)
    if given.print_config:
        print(configure.dump(config), end="")
        return None
    return config


def _integers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _named(rest: list[str], *names: str) -> list[str]:
    """The words before the first option as options. For argparse they could be values of options it does not know."""
    words = list(itertools.takewhile(lambda word: not word.startswith("-"), rest))[: len(names)]
    options = [part for name, word in zip(names, words, strict=False) for part in (f"--{name}", word)]
    return options + rest[len(words) :]


def _list(group: str) -> int:
    listed = vcycle.jobs.options.members(vcycle.jobs.config.TrainConfig.model_fields[group])
    width = max(map(len, listed))
    for name, model in listed.items():
        print(f"{name:{width}}  {model.__doc__}")
    return 0


def _complain(error: Exception, status: int) -> int:
    # An OSError's own text is "[Errno 2] No such file or directory: 'x'".
    text = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)
    print(f"vcycle: {' '.join(text.split())}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
