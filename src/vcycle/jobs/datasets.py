"""The data that a configuration names: a generated folder, an own-data YAML, or a file of arrays."""

from pathlib import Path

from rich.console import Console

from vcycle.data import Dataset, read_own, read_own_settings
from vcycle.data.files import MANIFEST
from vcycle.data.own import FileSpec
from vcycle.jobs.config import DataConfig
from vcycle.jobs.option_errors import ConfigError
from vcycle.jobs.options import flag
from vcycle.spaces import Domain
from vcycle.training.processes import processes

LAYOUT = "if samples or channels stand behind the grid, say `samples: last` or `channels: last` in an own-data YAML"


def open_data(config: DataConfig, *, training: bool = False) -> Dataset:
    """The data; for `training` without test sets, which stay closed, and with a line on how own arrays were read.

    Raises DataError or ConfigError with one sentence.
    """
    path = Path(config.path)
    described = next((name for name, value in config if name != "path" and value is not None), None)
    if path.is_dir() or path.suffix == "":
        if described is not None:
            raise _says_all(path, described, (path / MANIFEST).exists())
        return Dataset.open(path, training=training)
    if path.suffix.lower() in (".yaml", ".yml"):
        if described is not None:
            raise _says_all(path, described, True)
        own = read_own_settings(path, training=training)
        return _told(own, f"read {own}") if training else own
    own = _read_arrays(path, config, training)
    return _told(own, f"read {own} ({LAYOUT})") if training else own


def _says_all(path: Path, described: str, whole: bool) -> ConfigError:
    if whole:
        return ConfigError(f"{flag(described)} describes a file of arrays, but {path} says all that itself")
    return ConfigError(
        f"{flag(described)} describes one file of arrays, which {path} is not: give a .npz, .mat, .h5 or .pt file, or "
        "an own-data YAML, which may name pairs of .npy files"
    )


def _told(data: Dataset, line: str) -> Dataset:
    with processes() as world:
        Console(stderr=True, quiet=not world.first).print(line, highlight=False, markup=False, soft_wrap=True)
    return data


def _read_arrays(path: Path, config: DataConfig, training: bool) -> Dataset:
    inputs, outputs, boundary = config.input_field, config.output_field, config.boundary
    if inputs is None or outputs is None or boundary is None:
        required = {"input_field": inputs, "output_field": outputs, "boundary": boundary}
        missing = next(name for name, value in required.items() if value is None)
        raise ConfigError(
            f"{flag(missing)} is missing: {path} is a file of arrays, so say which are the inputs and the outputs "
            "and what holds at the boundary (dirichlet, neumann, periodic)"
        )
    axes = 2 if isinstance(boundary, str) else len(boundary)
    domain = Domain(config.extents or [1.0] * axes, boundary)
    files: dict[str, FileSpec] = {"train": path}
    files |= {s: f for s, f in (("validation", config.validation_data), ("test", config.test_data)) if f is not None}
    placement = config.placement or "cell"
    return read_own(files, inputs, outputs, domain, name=path.stem, placement=placement, training=training)
