"""Any format to any other.

Samples are read and written in blocks, so files may be larger than memory; .mat, .npz, .npy and .pt go as a whole.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import h5py

from vcycle.data.exchange.arrays import read_bare, write_mat, write_mat73, write_npz
from vcycle.data.exchange.cfdbench import is_cfdbench, read_cfdbench, write_cfdbench
from vcycle.data.exchange.netcdf import read_netcdf, write_netcdf
from vcycle.data.exchange.own_folder import read_folder, write_folder
from vcycle.data.exchange.pdebench import is_pdebench, read_pdebench, write_pdebench
from vcycle.data.exchange.samples import Quantity, Samples
from vcycle.data.exchange.vtk import read_vtk, write_vtk
from vcycle.data.exchange.well import is_well, read_well, write_well
from vcycle.data.files import MANIFEST, move
from vcycle.data.schema import DataError, suggestion
from vcycle.spaces import Placement
from vcycle.spaces.domain import BoundaryLike, ExtentsLike

WRITERS: dict[str, Callable[[Samples, Path], object]] = {
    "well": write_well,
    "pdebench": write_pdebench,
    "mat": write_mat,
    "mat73": write_mat73,
    "npz": write_npz,
    "netcdf": write_netcdf,
    "vti": lambda samples, folder: write_vtk(samples, folder, ".vti"),
    "vtu": lambda samples, folder: write_vtk(samples, folder, ".vtu"),
    "cfdbench": write_cfdbench,
}
FOLDERS = ("vti", "vtu", "cfdbench")
FORMATS = ("vcycle", *WRITERS)


@dataclass(frozen=True)
class Given:
    """What a person says about samples whose file does not.

    fields      the arrays that are meant, all if None
    boundary, extents, placement    as a Domain and a Grid have them
    time_step   between instants; frames: only so many of the first
    split       of a folder of ours; all samples if None
    """

    fields: Sequence[str] | None = None
    boundary: BoundaryLike | None = None
    extents: ExtentsLike | None = None
    placement: Placement | None = None
    time_step: float | None = None
    frames: int | None = None
    split: str | None = None


def convert(
    source: str | Path,
    out: str | Path,
    to: str,
    given: Given | None = None,
    *,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    history: int | None = None,
    splits: Mapping[str, int | float] | None = None,
) -> Path:
    """Write the samples of `source` to `out` in the format `to`; numbers keep all their bits.

    `inputs`, `outputs`, `history` and `splits` are for 'vcycle', folders of pairs to train on: fields by name, the
    instants of fields in time that are inputs (1), and fractions or counts of the splits. Pairs that were ours keep
    their sides, splits and problem unless these say otherwise. Raises DataError.
    """
    target = Path(out)
    if to not in FORMATS:
        raise DataError(f"there is no format {to!r}{suggestion(to, FORMATS)}")
    if target.exists():
        raise DataError(f"{target} exists: choose another name, or remove it first")
    pairing = {"--input-field": inputs, "--output-field": outputs, "--history": history, "--splits": splits}
    for option, value in pairing.items():
        if to != "vcycle" and value is not None:
            raise DataError(
                f"{option} makes pairs to train on, for --to vcycle alone: leave it out, or choose --fields"
            )
    samples = read_samples(source, given)
    if to == "vcycle":
        write_folder(samples, target, inputs, outputs, history, splits)
    else:
        write_samples(samples, target, to)
    return target


def read_samples(source: str | Path, given: Given | None = None) -> Samples:
    """What a file or folder holds, with what is given about it; the format is found out from the content."""
    path, given = Path(source), given or Given()
    if not path.exists():
        raise DataError(f"{path} does not exist: check the name; a relative one counts from {Path.cwd()}")
    if given.split is not None and not (path / MANIFEST).exists():
        raise DataError(f"--split is for folders of generated or converted data, {path} is none: leave it out")
    try:
        found = _read(path, given)
    except DataError:
        raise
    except Exception as error:  # the libraries of eight formats raise a dozen kinds of errors on damaged files
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DataError(f"{path} cannot be read, it may be damaged or of another kind ({reason:.120})") from error
    for name in given.fields or ():
        if name not in found.fields:
            raise DataError(f"{path} has no field {name!r}{suggestion(name, list(found.fields))}")
    said = found.with_given(given.boundary, given.extents, given.placement, given.time_step, given.fields)
    return said if given.frames is None else _first(said, given.frames)


def write_samples(samples: Samples, out: str | Path, to: str) -> None:
    """One file, or a folder for 'vti', 'vtu' and 'cfdbench'; a file has its name only when it is whole."""
    path = Path(out)
    if to in FOLDERS:
        WRITERS[to](samples, path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        WRITERS[to](samples, temporary)
        move(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _read(path: Path, given: Given) -> Samples:
    suffix = path.suffix.lower()
    dimension = None if given.extents is None else len(given.extents)
    if path.is_dir():
        if (path / MANIFEST).exists():
            return read_folder(path, given.split)
        return read_cfdbench(path, given.frames) if is_cfdbench(path) else read_vtk(path, given.placement)
    if suffix in (".vti", ".vtu"):
        return read_vtk(path, given.placement)
    if suffix in (".nc", ".nc4", ".cdf"):
        return read_netcdf(path)
    if suffix in (".h5", ".hdf5", ".hdf"):
        with h5py.File(path, "r") as file:
            kind = "well" if is_well(file) else "pdebench" if is_pdebench(file) else "bare"
        if kind != "bare":
            return read_well(path) if kind == "well" else read_pdebench(path)
    return read_bare(path, given.fields, dimension)


def _first(samples: Samples, frames: int) -> Samples:
    """The first instants of every quantity in time."""
    fewest = min((q.shape[1] for q in samples.fields.values() if q.timed), default=0)
    if not 1 <= frames <= fewest:
        raise DataError(f"{samples.name} has {fewest} instants: give --frames of 1 to {fewest}, or leave it out")
    fields = {name: _cut(quantity, frames) if quantity.timed else quantity for name, quantity in samples.fields.items()}
    return replace(samples, fields=fields, times=None if samples.times is None else samples.times[:frames])


def _cut(quantity: Quantity, frames: int) -> Quantity:
    shape = (quantity.shape[0], frames, *quantity.shape[2:])
    return replace(quantity, shape=shape, read=lambda rows: quantity.read(rows)[:, :frames])
