"""Where numbers lie: which device computes, and results on another one."""

from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor

CPU = torch.device("cpu")
Accelerator = Literal["auto", "cpu", "cuda"]
Result = TypeVar("Result")


def chosen(accelerator: Accelerator) -> torch.device:
    """The device of that name; 'auto' is a GPU where there is one.

    Raises ValueError for a GPU that is not there.

    >>> chosen("cpu")
    device(type='cpu')
    """
    present = torch.cuda.is_available()
    if accelerator == "cuda" and not present:
        raise ValueError("accelerator cuda was asked for and there is no CUDA device: use auto or cpu")
    return torch.device("cuda" if present and accelerator != "cpu" else "cpu")


def moved(result: Result, device: torch.device | str) -> Result:
    """A dataclass with all tensors in it, and in the dataclasses in it, on the device.

    >>> from vcycle.spaces import Domain
    >>> moved(Domain.unit(1), "cpu") == Domain.unit(1)
    True
    """
    values = {field.name: getattr(result, field.name) for field in fields(result)}  # ty: ignore[invalid-argument-type]
    parts = {name: _moved(value, device) for name, value in values.items()}
    return replace(result, **{name: part for name, part in parts.items() if part is not values[name]})  # ty: ignore


def _moved(part: Any, device: torch.device | str) -> Any:
    if isinstance(part, Tensor):
        return part.to(device)
    return moved(part, device) if is_dataclass(part) and not isinstance(part, type) else part
