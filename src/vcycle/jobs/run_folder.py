"""The folder of a run: what it was told, what it learned, and the refusal to mix two runs in one."""

import shutil
from pathlib import Path
from typing import Any

import yaml
from torch import nn

from vcycle.jobs.config import TrainConfig
from vcycle.jobs.configure import dump, read_file, resolve
from vcycle.jobs.option_errors import ConfigError
from vcycle.jobs.options import flag
from vcycle.jobs.tasks import Task
from vcycle.surrogate import Surrogate
from vcycle.surrogate.store import DESCRIPTION, WEIGHTS
from vcycle.training.settings import FREE

CONFIG = "config.yaml"


def begin(config: TrainConfig) -> Path:
    """Make the folder, with the configuration in it; or go on in it if it holds a run of the same configuration."""
    folder = Path(config.out)
    if (folder / CONFIG).exists() and (folder / WEIGHTS).exists():
        _refuse_other(folder, resolve(TrainConfig, read_file(folder / CONFIG)), config)
    elif folder.exists() and any(folder.iterdir()) and not (folder / CONFIG).exists():
        raise ConfigError(f"{folder} exists, is not empty and holds no run: give another folder as --out")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG).write_text(dump(config), encoding="utf-8")
    return folder


def describe(folder: Path, config: TrainConfig, task: Task, network: nn.Module) -> None:
    """Write what it takes to use the weights of the network."""
    surrogate = Surrogate(network, task.domain, task.input_names, task.output_names, task.placement, task.problem)
    about = {
        "network": config.network.model_dump(mode="json"),
        **surrogate.describe(),
        "resolution": list(task.resolution),
    }
    (folder / DESCRIPTION).write_text(yaml.safe_dump(about, sort_keys=False), encoding="utf-8")


def copy_run(run: Path, target: Path) -> None:
    """What it takes to use a run, in a new folder."""
    target.mkdir(parents=True)
    for name in (DESCRIPTION, WEIGHTS, CONFIG, "log.jsonl"):
        shutil.copyfile(run / name, target / name)


def _refuse_other(folder: Path, old: TrainConfig, new: TrainConfig) -> None:
    before, now = (_flat(c.model_dump(mode="json")) for c in (old, new))
    free = ("out", *FREE) if old.posterior is not None else ("out", *FREE, "posterior")  # which may come at any time
    for path in before | now:
        if path.split(".")[0] not in free and before.get(path) != now.get(path):
            raise ConfigError(
                f"{folder} holds a run with {flag(path)} {before.get(path)}, now {now.get(path)} was asked for: "
                "give another folder as --out, or the same options to go on with that run"
            )


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested names joined by dots."""
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat
