"""A network that is called as machine code, made for it as it runs."""

import logging
import math
import warnings
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.spaces import require_compiler

aten = torch.ops.aten
OPTIONS = {"fallback_random": True}  # the numbers that torch draws


def compiled(network: nn.Module, device: torch.device) -> nn.Module:
    """The network to call instead, with the same parameters: operations point by point become one pass through memory.

    The first call translates it (torch.compile, Inductor), which takes a minute or two, and so does the first with a
    batch of another shape. Values agree up to rounding, and random numbers are those of the network as it stands.

    Raises ValueError where the device is a processor and there is no C++ compiler.
    """
    if device.type == "cpu":
        require_compiler("compile", "leave compile out")
    # Tables that are cached are traced as what makes them, and loops that look at values stay outside: both as meant.
    warnings.filterwarnings("ignore", "Dynamo detected a call to a `functools.lru_cache`", UserWarning)
    torch._logging.set_logs(dynamo=logging.ERROR)
    return cast(nn.Module, torch.compile(network, dynamic=False, backend=partial(_translated, device)))


def _translated(device: torch.device, graph: torch.fx.GraphModule, inputs: list[Any]) -> Callable[..., Any]:
    """Inductor, which on a processor spends most of a gelu on the error function: it is given a shorter one."""
    with torch._inductor.config.patch(OPTIONS):
        table = import_module("torch._inductor.decomposition").select_decomp_table()
    if device.type == "cpu":
        table = table | {op: partial(ours, table[op]) for op, ours in GELU.items()}
    compile_fx = import_module("torch._inductor.compile_fx").compile_fx
    code = compile_fx(graph, inputs, config_patches=OPTIONS, decompositions=table)
    return cast(Callable[..., Any], code)


def _gelu(usual: Callable[..., Tensor], x: Tensor, approximate: str = "none") -> Tensor:
    if x.dtype != torch.float32 or approximate != "none":
        return usual(x, approximate=approximate)
    return x * normal(x)[0]


def _gelu_backward(usual: Callable[..., Tensor], g: Tensor, x: Tensor, approximate: str = "none") -> Tensor:
    if x.dtype != torch.float32 or approximate != "none":
        return usual(g, x, approximate=approximate)
    share, density = normal(x)
    return g * (share + x * density)


GELU = {aten.gelu.default: _gelu, aten.gelu_backward.default: _gelu_backward}


def normal(x: Float[Tensor, "..."]) -> tuple[Float[Tensor, "..."], Float[Tensor, "..."]]:
    """The normal distribution and its density, to 1e-7: what single precision can say of them.

    Source: Abramowitz and Stegun, formula 7.1.26, as oneDNN has it in the gelu that torch calls on a processor.

    >>> share, density = normal(torch.tensor([-1.0, 0.0, 2.0]))
    >>> share
    tensor([0.1587, 0.5000, 0.9772])
    """
    t = 1 / (1 + 0.3275911 * math.sqrt(0.5) * x.abs())
    a = 0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429
    decay = torch.exp(-0.5 * x * x)
    tail = 0.5 * decay * t * (a[0] + t * (a[1] + t * (a[2] + t * (a[3] + t * a[4]))))
    return torch.where(x < 0, tail, 1 - tail), decay / math.sqrt(2 * math.pi)
