"""Where numbers lie: which device computes, results on another one, and constants that are carried there once."""

import weakref
from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from jaxtyping import Shaped
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


_carried: dict[tuple[int, torch.device, torch.dtype], Tensor] = {}


def placed(array: Shaped[np.ndarray, "..."], like: Tensor) -> Shaped[Tensor, "..."]:
    """The numbers of an array that its maker keeps, where `like` lies and in its precision; not to be written to.

    To another device than the processor they are carried once, and stay there as long as the array: copies in every
    step would wait for each other.

    >>> placed(np.ones(2), torch.zeros((), dtype=torch.float32))
    tensor([1., 1.])
    """
    if like.device.type == "cpu" or torch.compiler.is_compiling():  # what a trace makes belongs to it
        return torch.from_numpy(array).to(like)
    key = id(array), like.device, like.dtype
    if key not in _carried:
        with torch.inference_mode(False):
            _carried[key] = torch.from_numpy(array).to(like)
        weakref.finalize(array, _carried.pop, key, None)
    return _carried[key]


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
