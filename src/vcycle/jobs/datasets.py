"""The data that a configuration names: a generated folder, an own-data YAML, or a file of arrays."""

from pathlib import Path

from vcycle.data import Dataset, read_own, read_own_settings
from vcycle.data.own import FileSpec
from vcycle.jobs.config import DataConfig
from vcycle.jobs.option_errors import ConfigError
from vcycle.jobs.options import flag
from vcycle.spaces import Domain


def open_data(config: DataConfig, *, training: bool = False) -> Dataset:
    """The data; for `training` without test sets, which stay closed.

    Raises DataError or ConfigError with one sentence.
    """
    path = Path(config.path)
    described = [name for name, value in config if name != "path" and value is not None]
    if path.is_dir() or path.suffix.lower() in ("", ".yaml", ".yml"):
        if described:
            raise ConfigError(f"{flag(described[0])} describes a file of arrays, but {path} says all that itself")
        if path.suffix:
            return read_own_settings(path, training=training)
        return Dataset.open(path).for_training() if training else Dataset.open(path)
    return _read_arrays(path, config, training)


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
