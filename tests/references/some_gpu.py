"""A GPU, or a device that is none: tensors that say they lie on one, with their numbers in ordinary memory.

What runs on it never mixes devices, never hands an array of the device to numpy, and answers where it was asked. That
is what a GPU asks of a program before anything else, seen without one. Rounding, memory and speed are not imitated.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map, tree_map_only
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

aten = torch.ops.aten
COPIES = {aten._to_copy.default, aten.copy_.default}
# A GPU takes indices that lie on the processor.
INDEXING = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default}
# Views that are only marked as conjugate or negative: their marks are lost on the way here, so it is carried out.
CARRIED_OUT = {aten._conj.default: aten.conj_physical.default, aten._neg_view.default: aten.neg.default}
CONSTRUCTORS = {torch.tensor, torch.as_tensor, torch.asarray}


@contextmanager
def some_gpu() -> Generator[torch.device]:
    """In here tensors can be made on the device, moved there, and computed with: a real one where there is one."""
    if torch.cuda.is_available():
        yield torch.device("cuda", 0)
    else:
        with _Operations(), _Constructors():
            yield DEVICE


class _Pretended(Tensor):
    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> "_Pretended":
        place = {"strides": held.stride(), "storage_offset": held.storage_offset()} if not held.is_sparse else {}
        kind = {"dtype": held.dtype, "layout": held.layout, "device": DEVICE}
        made = torch.Tensor._make_wrapper_subclass(cls, held.shape, **place, **kind)
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(cls, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(operation, args, kwargs or {})

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"pretended({self.held})"

    def tolist(self) -> Any:
        return self.held.tolist()

    def numpy(self, *, force: bool = False) -> Any:
        if force:
            return self.held.numpy(force=True)
        raise TypeError("a tensor of the device cannot be an array: copy it to the processor by .cpu()")

    def __array__(self, dtype: Any = None) -> Any:
        return self.numpy()


class _Operations(TorchDispatchMode):
    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(operation, args, kwargs or {})


class _Constructors(TorchFunctionMode):
    """torch.tensor(..., device=...), and lists as indices, become tensors of the device in no operation to be seen."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if function is Tensor.new_tensor:
            like, *args = args
            function, kwargs = torch.tensor, {"dtype": like.dtype, "device": like.device, **kwargs}
        if function in (Tensor.__getitem__, Tensor.__setitem__) and isinstance(args[0], _Pretended):
            args = (args[0], tree_map_only(list, torch.tensor, args[1], is_leaf=_listed), *args[2:])
        if function in CONSTRUCTORS and (device := kwargs.pop("device", None)) is not None:
            return function(*args, **kwargs).to(device)
        return function(*args, **kwargs)


def _listed(index: Any) -> bool:
    return isinstance(index, list)


class _Hook(torch._C._acc.PrivateUse1Hooks):
    """Only what asks for the device gets it: nothing finds it by itself."""

    def is_available(self) -> bool:
        return False

    def has_primary_context(self, device_index: int) -> bool:
        return True

    def is_built(self) -> bool:
        return True


class _Module:
    """What torch asks of the module of a device."""

    def is_initialized(self) -> bool:
        return True

    def is_available(self) -> bool:
        return False

    def current_device(self) -> int:
        return 0

    def device_count(self) -> int:
        return 1

    def _is_in_bad_fork(self) -> bool:
        return False

    def manual_seed_all(self, seed: int) -> None:
        """Nothing random is made on the device."""

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


# At once, as the first backward pass of a process counts the devices for all later ones; and once, for pytest imports
# this file a second time to look for examples.
if torch._C._get_privateuse1_backend_name() != "pretended":
    _setup_privateuseone_for_python_backend("pretended", backend_module=_Module(), hook=_Hook())
DEVICE = torch.device("pretended", 0)


def _run(operation: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
    ours = [x for x in tensors if isinstance(x, _Pretended)]
    others = [x for x in tensors if not isinstance(x, _Pretended) and x.ndim > 0]
    indexed = operation in INDEXING and isinstance(args[0], _Pretended)
    if ours and others and not indexed and operation not in COPIES:
        raise RuntimeError(f"{operation}: one tensor lies on the device, one of shape {others[0].shape} does not")
    if kwargs.get("device") is not None:
        stays = torch.device(kwargs["device"]).type == DEVICE.type
        kwargs = {**kwargs, "device": torch.device("cpu")}
    else:
        stays = isinstance(args[0], _Pretended) if operation is aten.copy_.default else bool(ours)
    args, kwargs = tree_map(lambda x: x.held if isinstance(x, _Pretended) else x, (tuple(args), dict(kwargs)))
    out = CARRIED_OUT.get(operation, operation)(*args, **kwargs)
    if not stays:
        return out
    written = {id(x.held): x for x in ours}  # in place

    def placed(x: Any) -> Any:
        if not isinstance(x, Tensor):
            return x
        return written[id(x)] if id(x) in written else _Pretended(x)

    return tree_map(placed, out)
