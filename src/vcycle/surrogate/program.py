"""A trained network as a program in a file of its own, which needs nothing of vcycle."""

import hashlib
import json
import logging
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from vcycle.spaces import Grid
from vcycle.surrogate.program_formats import FORMATS, INPUT, OUTPUT, FormatName, format_named
from vcycle.surrogate.surrogate import Surrogate, Values


@dataclass(frozen=True)
class Program:
    """A file that computes what a network computes, and the file beside it that says what this is (JSON).

    difference   largest difference from the network's own output, relative to the largest value of this
    tolerance    beyond which it would have been refused: half of the digits of the network's numbers
    """

    file: Path
    description: Path
    format: FormatName
    difference: float
    tolerance: float


@torch.no_grad()
def write_program(
    surrogate: Surrogate, inputs: Values, file: str | Path, format: FormatName, *, any_batch: bool = True
) -> Program:
    """Write u = N(a), from physical inputs to physical outputs, normalisers, logarithms and boundary factors included.

    inputs      (b, c, *grid) the program is for this grid; on them it is compared with the network
    any_batch   it takes any number of samples; otherwise b, which can be faster

    The file is read back and run before it is kept. Where the network would refuse an input with a sentence the program
    cannot: it answers NaN. Raises ValueError with one sentence where format and network do not go together, where
    something the format needs is missing, and where the program computes something else.
    """
    network, kind = surrogate.network, format_named(format)
    if not isinstance(network, nn.Module):
        raise ValueError(f"only a torch.nn.Module can be exported, this network is a {type(network).__name__}")
    kind.require()
    own = next((p.dtype for p in network.parameters()), torch.float64)
    precision = kind.precision or own
    x = surrogate.as_inputs(inputs).to(own)
    if any_batch and len(x) < 2:
        raise ValueError("a program for any number of samples needs two or more to trace it, or any_batch=False")
    expected = network(x)
    target = _with_suffix(Path(file), kind.suffix)
    draft = target.with_name(f"unchecked_{target.name}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with _quiet():
        program = _traced(deepcopy(network).to(precision), x.to(precision), any_batch)
        run = _written(program, draft, format)
    found = torch.cat([run(part.to(precision)) for part in ((x[:1], x[1:]) if any_batch else (x,))])
    difference = float((found - expected).abs().max() / expected.abs().max().clamp_min(torch.finfo(precision).tiny))
    tolerance = torch.finfo(precision).eps ** 0.5
    if not difference <= tolerance:
        draft.unlink()
        raise ValueError(
            f"the {format} program differs from the network by {difference:.1e} of its largest value, more than "
            f"{tolerance:.1e}: it was not kept; export to another format, or train with --precision 64-true"
        )
    draft.replace(target)
    words = _described(surrogate, found, x.shape[1], any_batch)
    words |= {"difference": difference, "tolerance": tolerance, "format": format}
    words |= {"sha256": hashlib.sha256(target.read_bytes()).hexdigest()}
    description = _with_suffix(target, ".json")
    description.write_text(json.dumps(words, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return Program(target, description, format, difference, tolerance)


def _traced(network: nn.Module, x: Float[Tensor, "b c *grid"], any_batch: bool) -> ExportedProgram:
    try:
        return torch.export.export(network, (x,), dynamic_shapes=({0: Dim("batch")},) if any_batch else None)
    except RuntimeError as error:
        advice = "fix the number of samples, or " if any_batch else ""
        raise ValueError(
            f"this network cannot be written down as one program ({_reason(error)}): {advice}use it from Python"
        ) from error


def _written(program: ExportedProgram, file: Path, format: FormatName) -> Callable[[Tensor], Tensor]:
    """The program as a file, read back."""
    try:
        FORMATS[format].write(program, file)
        return FORMATS[format].read(file)
    except RuntimeError as error:
        file.unlink(missing_ok=True)
        raise ValueError(f"{format} has no form of this network ({_reason(error)}): export to torch") from error


def _described(surrogate: Surrogate, u: Float[Tensor, "b c *grid"], channels: int, any_batch: bool) -> dict[str, Any]:
    """What a program with these outputs takes and gives, as plain data."""
    shape = tuple(u.shape[2:])
    grid = Grid(surrogate.domain, shape, surrogate.placement)
    axes, batch = ["batch", "channel", *"xyz"[: len(shape)]], "any" if any_batch else len(u)
    fields = {
        "input": {"name": INPUT, "channels": surrogate.input_names, "shape": [batch, channels, *shape]},
        "output": {"name": OUTPUT, "channels": surrogate.output_names, "shape": [batch, u.shape[1], *shape]},
    }
    about = surrogate.describe()
    return {
        **{
            name: field | {"axes": axes, "dtype": str(u.dtype).removeprefix("torch.")} for name, field in fields.items()
        },
        "grid": {
            "placement": surrogate.placement,
            "points": shape,
            "first": [float(grid.axis(axis)[0]) for axis in range(len(shape))],
            "spacing": grid.spacing,
        },
        "domain": about["domain"],
        "problem": about["problem"],
        "written_by": {package: version(package) for package in ("vcycle", "torch")},
    }


def _with_suffix(file: Path, suffix: str) -> Path:
    return file if file.suffix == suffix else file.with_name(file.name + suffix)


def _reason(error: BaseException) -> str:
    """The first line of what lies at the bottom of an error."""
    while error.__cause__ is not None:
        error = error.__cause__
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


@contextmanager
def _quiet() -> Generator[None]:
    """Without what the exporters tell their own developers."""
    level = logging.root.manager.disable
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(level)
