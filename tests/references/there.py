"""What lies on a device is answered there."""

from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from references.some_gpu import some_gpu

ROUNDING = 1e-9


def assert_there(function: Callable[..., Any], *data: Any, rounding: float = ROUNDING) -> None:
    """The function of data on the device lies there, and is that of the same data on the processor."""
    expected = function(*data)
    with some_gpu() as gpu:
        found = function(*(x.to(gpu) if isinstance(x, Tensor) else x for x in data))
        assert_same("the answer", found, expected, gpu, rounding)


def assert_same(name: str, found: Any, expected: Any, device: torch.device, rounding: float = ROUNDING) -> None:
    """The same values, tuples or dataclasses, whose tensors lie on the device now."""
    if isinstance(expected, Tensor):
        assert found.device == device, f"{name} lies on {found.device}"
        scale = float(expected.double().abs().nan_to_num(posinf=0.0).max())
        torch.testing.assert_close(found.cpu(), expected, rtol=rounding, atol=rounding * scale)
    elif isinstance(expected, tuple):
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_same(f"{name}[{number}]", one, other, device, rounding)
    elif is_dataclass(expected):
        for part, value in vars(expected).items():
            assert_same(part, getattr(found, part), value, device, rounding)
    else:
        assert found == expected, name


class Copies(TorchDispatchMode):
    """Counts what goes from one device to another."""

    count = 0

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = operation(*args, **(kwargs or {}))
        if operation is torch.ops.aten._to_copy.default:
            self.count += out.device != args[0].device
        return out
