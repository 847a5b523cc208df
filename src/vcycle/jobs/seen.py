"""Which samples a run has seen: what they taught or selected cannot say how wrong it is elsewhere."""

import hashlib
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.data import DataError, Dataset
from vcycle.data.dataset import TRAINING
from vcycle.jobs.config import TrainConfig
from vcycle.jobs.configure import read_file, resolve
from vcycle.jobs.datasets import open_data

CHUNK = 256


def refuse_seen(inputs: Float[Tensor, "b c *grid"], configs: list[TrainConfig], origin: str) -> None:
    """Raises DataError where an input is, number by number, one of training or validation of these runs.

    Runs on an equation draw from random numbers of their own, which no data set and no calibration shares.
    """
    digests = {_digest(x) for x in inputs}
    if len(digests) < len(inputs):
        raise DataError(f"{origin} holds the same input twice: calibration needs independent samples")
    once = {config.data.model_dump_json(): config.data for config in configs if config.data is not None}
    for data in (open_data(given, training=True) for given in once.values()):
        for name in TRAINING:
            common = digests & _digests(data, name)
            if common:
                raise DataError(
                    f"{len(common)} of the {len(inputs)} samples of {origin} are in the {name} data of the run, and a "
                    "network is better on what it has seen than on what comes: give samples of another seed"
                )


def ancestors(config: TrainConfig) -> list[TrainConfig]:
    """The run and those it started from."""
    found = [config]
    while found[-1].start is not None:
        found.append(resolve(TrainConfig, read_file(Path(found[-1].start) / "config.yaml")))
    return found


def _digests(data: Dataset, name: str) -> set[bytes]:
    if name not in data.splits:
        return set()
    split = data.split(name)
    parts = torch.arange(len(split)).split(CHUNK)
    return {_digest(x) for part in parts for x in split.read(part).inputs}


def _digest(x: Float[Tensor, "c *grid"]) -> bytes:
    """Of the values in single precision, which data may be stored in."""
    return hashlib.sha256(x.float().contiguous().numpy().tobytes()).digest()
