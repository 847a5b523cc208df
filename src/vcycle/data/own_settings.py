"""own.yaml: a user's own data described in a file."""

from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from vcycle.data.dataset import Dataset
from vcycle.data.own import FileSpec, Place, read_own
from vcycle.data.schema import DataError, Record, explain
from vcycle.spaces import Domain, Placement


class DomainSettings(Record):
    """extents: a length or [low, high] per axis; boundary: one condition, or per axis one or [low face, high face]."""

    extents: list[float | tuple[float, float]]
    boundary: str | list[str | tuple[str, str]]


class OwnSettings(Record):
    """The arguments of `read_own`; a file is a path, or a pair [inputs, outputs], relative to the YAML file."""

    name: str = "own"
    files: dict[str, str | tuple[str, str]]
    inputs: list[str]
    outputs: list[str]
    domain: DomainSettings
    placement: Placement = "cell"
    units: dict[str, str] = Field(default={})
    channels: Place = "first"
    samples: Place = "first"
    validation: float = 0.1
    splits: dict[str, int | float] | None = None


def read_own_settings(path: str | Path, *, training: bool = False) -> Dataset:
    """The data described by a YAML file such as

        files: {train: train.npz, test: test.npz, test_32: fine.npz}
        inputs: [a]
        outputs: [u]
        domain: {extents: [1, 1], boundary: dirichlet}

    `training` opens no test set. Raises DataError, for unknown keys with the nearest known one.
    """
    file = Path(path)
    if not file.is_file():
        raise DataError(f"{file} does not exist: check the name (relative ones count from {Path.cwd()})")
    try:
        settings = OwnSettings.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
        domain = Domain(settings.domain.extents, settings.domain.boundary)
    except ValidationError as error:
        raise explain(error, str(file), OwnSettings) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(f"{file} is not YAML: {' '.join(str(error).split())}") from error
    except ValueError as error:
        raise DataError(f"{file}: {error}") from error
    return read_own(
        {split: _relative(spec, file.parent) for split, spec in settings.files.items()},
        settings.inputs,
        settings.outputs,
        domain,
        name=settings.name,
        placement=settings.placement,
        units=settings.units,
        channels=settings.channels,
        samples=settings.samples,
        validation=settings.validation,
        splits=settings.splits,
        training=training,
    )


def _relative(spec: str | tuple[str, str], folder: Path) -> FileSpec:
    return folder / spec if isinstance(spec, str) else (folder / spec[0], folder / spec[1])
