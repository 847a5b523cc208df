"""Foreign weights into our modules: every key accounted for."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from vcycle.networks.checks import did_you_mean

REQUIRED = object()  # the default of an option without one


@dataclass(frozen=True)
class Published:
    """A module with random weights, the foreign name of each of its keys, and the foreign keys that nobody reads.

    `foreign` returns None for a key whose value the module has already; `unused` is a regular expression for whole
    keys.
    """

    network: nn.Module
    foreign: Callable[[str], str | None]
    unused: str = ""


def load_renamed(name: str, published: Published, state: Mapping[str, Any]) -> nn.Module:
    """The module with the foreign weights, in their precision and in evaluation mode.

    Raises ValueError for a foreign key that is missing, left over, or of another shape.
    """
    values: dict[str, Tensor] = {}
    used = set()
    for key, current in published.network.state_dict().items():
        foreign = published.foreign(key)
        if foreign is None:
            values[key] = current
            continue
        if foreign not in state:
            raise ValueError(f"{name}: the state has no {foreign!r}{did_you_mean(foreign, list(state))}")
        values[key] = _reshaped(f"{name}: {foreign!r}", state[foreign], current)
        used.add(foreign)
    for foreign in state:
        if foreign not in used and not re.fullmatch(published.unused, foreign):
            raise ValueError(f"{name}: the state has {foreign!r}, which no part of this configuration uses")
    dtype = next(value.dtype for value in values.values() if value.is_floating_point())
    network = published.network.to(dtype)
    network.load_state_dict(values)
    return network.eval()


def take(
    name: str, options: dict[str, Any], defaults: Mapping[str, Any], ignored: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The options with defaults filled in; ValueError for one that is missing, or neither known nor ignored."""
    for key in options:
        if key not in defaults and key not in ignored:
            raise ValueError(f"{name}: unknown option {key!r}{did_you_mean(key, [*defaults, *ignored])}")
    for key, default in defaults.items():
        if default is REQUIRED and key not in options:
            raise ValueError(f"{name}: the option {key!r} is required")
    return {key: options.get(key, default) for key, default in defaults.items()}


def _reshaped(what: str, value: Tensor, current: Tensor) -> Tensor:
    """Complex numbers as pairs of real ones, and axes of one point dropped or added."""
    value = torch.view_as_real(value) if value.is_complex() else value
    if [n for n in value.shape if n != 1] != [n for n in current.shape if n != 1]:
        raise ValueError(f"{what} has shape {tuple(value.shape)}, expected {tuple(current.shape)}")
    return value.reshape(current.shape)
