"""A network that is called as machine code, made for it as it runs."""

import logging
import warnings
from typing import cast

import torch
from torch import nn

from vcycle.spaces import require_compiler


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
    return cast(nn.Module, torch.compile(network, dynamic=False, options={"fallback_random": True}))
