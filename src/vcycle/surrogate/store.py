"""Reading a run back: surrogate.yaml says what it is, weights.safetensors what it learned."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from vcycle import networks, problems
from vcycle.networks import Normalised
from vcycle.operators import Affine
from vcycle.spaces import Domain, Placement
from vcycle.surrogate.calibration_store import read_calibration
from vcycle.surrogate.ensemble import Ensemble
from vcycle.surrogate.surrogate import Surrogate

DESCRIPTION, WEIGHTS = "surrogate.yaml", "weights.safetensors"


def load(run: str | Path, *, calibrated: bool = True) -> Surrogate:
    """The surrogate of a training run, with the weights that were best on validation, or of an ensemble of runs.

    With its calibration if it has one and `calibrated` asks for it.
    Nothing is unpickled: descriptions are YAML and JSON, numbers are safetensors.
    Raises ValueError with one sentence for a folder that holds no run, weights that do not fit its description, and a
    calibration that is not of these weights.
    """
    folders = members(Path(run))
    surrogate = together([_load_one(folder) for folder in folders])
    if not calibrated:
        return surrogate
    return replace(surrogate, calibration=read_calibration(Path(run), [folder / WEIGHTS for folder in folders]))


def members(run: Path) -> list[Path]:
    """The folders that hold the weights of a run: itself, or one per member of an ensemble."""
    return sorted(run.glob("member_*")) or [run]


def training_resolution(run: str | Path) -> tuple[int, ...]:
    """The resolution that a run was trained at, the first member's for an ensemble."""
    file = members(Path(run))[0] / DESCRIPTION
    about = _read(file)
    if not isinstance(about.get("resolution"), list):
        raise ValueError(f"{file} says no resolution: restore it, or train again")
    return tuple(about["resolution"])


def together(surrogates: list[Surrogate]) -> Surrogate:
    """One surrogate as it is, several as their ensemble; raises ValueError where they answer different questions."""
    first, *others = surrogates
    if any(other.describe() != first.describe() for other in others):
        raise ValueError("an ensemble is one problem learned several times, these runs differ in more than their seed")
    modules = [s.network for s in surrogates if isinstance(s.network, nn.Module)]
    return replace(first, network=Ensemble(modules).eval()) if others else first


def _load_one(folder: Path) -> Surrogate:
    for name in (DESCRIPTION, WEIGHTS):
        if not (folder / name).is_file():
            raise ValueError(
                f"{folder} holds no trained network (it has no {name}): give the --out folder of a training"
            )
    about = _read(folder / DESCRIPTION)
    try:
        domain = Domain(**about["domain"])
        names = tuple(about["input_names"]), tuple(about["output_names"])
        problem = None if about["problem"] is None else problems.build(about["problem"])
        bare = networks.build(about["network"], len(names[0]), len(names[1]), domain)
        placement: Placement = about["placement"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{folder / DESCRIPTION} is not the description of a surrogate ({error}): restore it, or train again"
        ) from error
    encode, decode = (Affine.identity(len(channels), domain.dimension) for channels in names)
    network = Normalised(bare, encode, decode)
    read_weights(network, folder)
    return Surrogate(network.eval(), domain, *names, placement=placement, problem=problem)


def read_weights(network: nn.Module, folder: Path) -> None:
    """The weights of a run, in their precision; raises ValueError with one sentence where they do not fit."""
    try:
        state = load_file(folder / WEIGHTS)
    except SafetensorError as error:
        raise ValueError(f"{folder / WEIGHTS} is damaged ({error}): train again, or copy the file back") from error
    network.to(next(value.dtype for value in state.values() if value.is_floating_point()))
    try:
        missing, unexpected = network.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise ValueError(f"the weights in {folder} do not fit this network: {str(error).splitlines()[1]}") from error
    if missing or unexpected:
        odd = [*missing, *unexpected][0]
        raise ValueError(f"the weights in {folder} do not fit this network: {odd} is in one of them only")


def _read(file: Path) -> dict[str, Any]:
    try:
        about = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{file} is not valid YAML: restore it, or train again") from error
    if not isinstance(about, dict):
        raise ValueError(f"{file} is not the description of a surrogate: restore it, or train again")
    return about
