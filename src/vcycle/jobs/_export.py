"""`vcycle export`: a trained run as a program for C++, a browser or a bare Python."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.analysis.wording import by
from vcycle.networks import Normalised
from vcycle.surrogate import Ensemble, Program, Surrogate, load, training_resolution, write_program
from vcycle.surrogate.program_formats import FormatName

SAMPLES = 3  # that a program for any number of them is compared on


@dataclass(frozen=True)
class Exported:
    """The program, and the grid and number of samples (None: any) that it is for."""

    program: Program
    shape: tuple[int, ...]
    batch: int | None

    def __str__(self) -> str:
        program = self.program
        samples = {None: "any number of samples", 1: "one sample"}.get(self.batch, f"{self.batch} samples")
        return (
            f"{program.format} program for {samples} at {by(self.shape)}\n"
            f"differs from the network by {program.difference:.1e} of its largest value "
            f"(refused beyond {program.tolerance:.1e})\n"
            f"written to {program.file}, described in {program.description}"
        )


def export(
    run: str | Path,
    out: str | Path,
    format: FormatName,
    *,
    batch: int | None = None,
    resolution: int | Sequence[int] | None = None,
) -> Exported:
    """Write the network of a run, or of an ensemble, as a program that needs nothing of vcycle.

    out          file to write; what it takes and gives is written beside it, in a file of the same name and .json
    format       'torch': torch.export program; 'aoti': machine code by AOTInductor; 'onnx': ONNX
    batch        samples a call; any number if not given
    resolution   points per axis, one number or one per axis; the training grid if not given

    The file is run and compared with the network before it is kept, on samples of the problem, or on noise with mean
    and deviation of the training inputs where no equation is known. Raises ValueError as `surrogate.write_program`.
    """
    surrogate = load(run, calibrated=False)
    shape = _shape(surrogate, Path(run), resolution)
    inputs = _inputs(surrogate, shape, SAMPLES if batch is None else batch)
    return Exported(write_program(surrogate, inputs, out, format, any_batch=batch is None), shape, batch)


def _shape(surrogate: Surrogate, run: Path, resolution: int | Sequence[int] | None) -> tuple[int, ...]:
    d = surrogate.domain.dimension
    if resolution is None:
        return training_resolution(run)
    shape = (resolution,) * d if isinstance(resolution, int) else tuple(resolution)
    if len(shape) == 1:
        shape *= d
    if len(shape) != d or any(n < 1 for n in shape):
        raise ValueError(f"a resolution is one number of points, or one for each of {d} axes, got {list(shape)}")
    return shape


def _inputs(surrogate: Surrogate, shape: tuple[int, ...], count: int) -> Float[Tensor, "b c *grid"]:
    if count < 1:
        raise ValueError(f"a program takes one sample a call or more, got {count}")
    problem = surrogate.problem
    if problem is not None and problem.input_names == surrogate.input_names:
        return problem.sample(shape, 0, range(count))
    network = surrogate.network
    return _noise(network.members[0] if isinstance(network, Ensemble) else network, shape, count)


def _noise(network: object, shape: tuple[int, ...], count: int) -> Float[Tensor, "b c *grid"]:
    """White noise that the network's normaliser gives zero mean and unit deviation."""
    assert isinstance(network, Normalised)  # as every network of a run
    shift = network.encode.shift
    white = torch.randn(count, shift.shape[0], *shape, generator=torch.Generator().manual_seed(0)).to(shift)
    x = network.encode.inverse()(white)
    marked = network.log.view(-1, *(1,) * len(shape))
    return torch.where(marked, x.exp(), x).detach()
