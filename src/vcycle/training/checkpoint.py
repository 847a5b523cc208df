"""The complete state of a run in one safetensors file, replaced atomically: a crash leaves the old or the new one."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from vcycle.training.sharing import laid_out_like, whole

CHECKPOINT = Path("checkpoint") / "state.safetensors"
WEIGHTS = Path("weights.safetensors")


@dataclass
class State:
    """Where a run stands, apart from its tensors.

    `losses` and `norms` are those since the last row of the log, `waiting` the validations since the best one,
    `log` the lengths of the log files in bytes, `scaler` the loss scale of 16-bit training.
    """

    step: int = 0
    seconds: float = 0.0
    ended: str | None = None
    best_step: int = 0
    best: dict[str, float] = field(default_factory=dict)
    waiting: int = 0
    losses: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    log: dict[str, int] = field(default_factory=dict)
    scaler: dict[str, Any] = field(default_factory=dict)


def snapshot(network: nn.Module) -> dict[str, Tensor]:
    """A copy of the network's parameters and buffers on the CPU; in several processes all of them ask for it."""
    return {name: _plain(tensor) for name, tensor in network.state_dict().items()}


def write_weights(folder: Path, weights: dict[str, Tensor], step: int, metrics: dict[str, float]) -> None:
    """`folder`/weights.safetensors, with the step and the validation metrics in its header."""
    write_atomically(folder / WEIGHTS, save(weights, {"step": str(step), "validation": json.dumps(metrics)}))


def collect(network: nn.Module, optimizer: torch.optim.Optimizer, best: dict[str, Tensor]) -> dict[str, Tensor]:
    """All tensors of a checkpoint, whole and on the CPU: what they are says nothing of the number of processes."""
    tensors = {f"network.{name}": tensor for name, tensor in snapshot(network).items()}
    tensors |= {f"best.{name}": tensor for name, tensor in best.items()}
    for index, entries in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": _plain(tensor) for name, tensor in entries.items()}
    return tensors


def write_checkpoint(
    folder: Path, state: State, settings: dict[str, Any], groups: list[dict[str, Any]], tensors: dict[str, Tensor]
) -> None:
    """`folder`/checkpoint/state.safetensors: the tensors, and as JSON the state, settings, the optimizer's groups."""
    header = {"state": asdict(state), "settings": settings, "groups": groups}
    write_atomically(folder / CHECKPOINT, save(tensors, {name: json.dumps(value) for name, value in header.items()}))


def read_checkpoint(
    folder: Path, settings: dict[str, Any], network: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[State, dict[str, Tensor]] | None:
    """Put network and optimizer back where they were; the state and the best weights, or None without a checkpoint.

    Raises ValueError if the checkpoint is damaged, belongs to other settings or to another network.
    """
    if not (folder / CHECKPOINT).exists():
        return None
    header, tensors = _read(folder / CHECKPOINT)
    _refuse_other_settings(folder, header["settings"], json.loads(json.dumps(settings)))
    held = network.state_dict()
    try:
        network.load_state_dict({k: laid_out_like(held.get(k, t), t) for k, t in _under("network.", tensors).items()})
    except RuntimeError as error:
        raise ValueError(
            f"{folder} holds a checkpoint of another network: train into a new folder ({error})"
        ) from error
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    optimizer_state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _under("optimizer.", tensors).items():
        index, entry = name.split(".", 1)
        optimizer_state.setdefault(int(index), {})[entry] = laid_out_like(parameters[int(index)], tensor)
    optimizer.load_state_dict({"state": optimizer_state, "param_groups": header["groups"]})
    return State(**header["state"]), _under("best.", tensors)


def write_atomically(path: Path, content: bytes) -> None:
    """All of the new content or all of the old, also if the machine stops in between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def _read(file: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What was written, or ValueError where not all of it is there."""
    try:
        with safe_open(file, "pt") as opened:
            header = {name: json.loads(text) for name, text in opened.metadata().items()}
            return header, {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (not a mapping)
    except SafetensorError as error:
        raise ValueError(
            f"{file} is damaged ({error}): copy it back, or remove it to train again from the beginning"
        ) from error


def _plain(tensor: Tensor) -> Tensor:
    return whole(tensor).detach().to("cpu", copy=True).contiguous()


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _refuse_other_settings(folder: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    for name in new:
        if old.get(name) != new[name]:
            raise ValueError(
                f"{folder} holds a run with {name} = {old.get(name)}, not {new[name]}: "
                "continue it with its own settings, or train into a new folder"
            )
