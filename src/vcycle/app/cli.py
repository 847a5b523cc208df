"""The command line. Help needs no torch, errors are one sentence."""

import argparse
import itertools
import os
import sys
from collections.abc import Sequence
from typing import Any

import vcycle
from vcycle.app.parser import RAW, USAGE, build_parser, say

FAILED, INTERRUPTED = 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status is 0, 1 for a computation that failed, 2 for a request that cannot be met,
    128 + the signal's number for an interrupted one."""
    parser = build_parser({name: verb.__doc__ or name for name, verb in VERBS.items()})
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
        say("interrupted")
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


def chaos(given: argparse.Namespace, rest: list[str]) -> int:
    """Make data: trajectories of a chaotic system, with its invariants."""
    config = _configured(given, _named(rest, "system"), vcycle.jobs.chaos_config.ChaosConfig)
    if config is None:
        return 0
    print(vcycle.jobs.chaos(**{name: value for name, value in config if value is not None}))
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
    say(result, trouble=False)
    return 0 if result.interrupted is None else 128 + result.interrupted


def evaluate(given: argparse.Namespace, rest: list[str]) -> int:
    """Measure a trained operator on test data."""
    description = {name: vars(given)[name] for name in RAW if vars(given)[name] is not None}
    if given.data is None and description:
        raise ValueError(f"--{next(iter(description)).replace('_', '-')} describes a file of arrays: give it as --data")
    data = given.data and vcycle.jobs.configure.resolve(
        vcycle.jobs.config.DataConfig, {"path": given.data} | description
    )
    names = ("split", "samples", "resolutions", "tighten", "lyapunov", "out", "machine", "accelerator")
    options = {name: vars(given)[name] for name in names}
    print(vcycle.jobs.evaluate(given.run, data, **options))
    return 0


def calibrate(given: argparse.Namespace, rest: list[str]) -> int:
    """Learn from held-out data how wrong a trained operator is."""
    names = ("split", "samples", "level", "share", "scale", "out", "accelerator")
    options = {name: vars(given)[name] for name in names}
    print(vcycle.jobs.calibrate(given.runs, given.data, **options))
    return 0


def predict(given: argparse.Namespace, rest: list[str]) -> int:
    """Apply a trained operator and bound the error."""
    names = ("output", "tighten", "form", "accelerator")
    print(vcycle.jobs.predict(given.run, given.input, **{name: vars(given)[name] for name in names}))
    return 0


def solve(given: argparse.Namespace, rest: list[str]) -> int:
    """Solve to a tolerance, starting from a trained operator."""
    tolerance = (1e-8 if given.steps is None else 1e-2) if given.tolerance is None else given.tolerance
    if given.steps is None:
        solved = vcycle.jobs.solve(given.run, given.input, tolerance, given.output, given.accelerator)
    else:
        solved = vcycle.jobs.march(given.run, given.input, given.steps, tolerance, given.output, given.accelerator)
    print(solved)
    return 0 if solved.verified else FAILED


def export(given: argparse.Namespace, rest: list[str]) -> int:
    """Write a trained operator as a program for C++ or browsers."""
    options = {name: vars(given)[name] for name in ("batch", "resolution")}
    print(vcycle.jobs.export(given.run, given.out, given.format, **options))
    return 0


def problems(given: argparse.Namespace, rest: list[str]) -> int:
    """List the problems."""
    return _list("problem")


def networks(given: argparse.Namespace, rest: list[str]) -> int:
    """List the networks."""
    return _list("network")


VERBS = {
    verb.__name__: verb
    for verb in (generate, chaos, convert, train, calibrate, evaluate, predict, solve, export, problems, networks)
}
CONFIGURED = ("generate", "chaos", "convert", "train")


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
    say(f"vcycle: {' '.join(text.split())}")
    return status


if __name__ == "__main__":
    sys.exit(main())
