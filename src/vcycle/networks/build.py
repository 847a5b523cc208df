"""Networks by name, as configurations write them."""

import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

from vcycle.networks.checks import did_you_mean
from vcycle.networks.deeponet import DeepONet
from vcycle.networks.fno import FNO
from vcycle.networks.implicit import Implicit
from vcycle.networks.lno import LNO
from vcycle.networks.lsm import LSM
from vcycle.networks.mgno import MgNO
from vcycle.networks.mono import MoNO
from vcycle.networks.multionet import MultiONet
from vcycle.networks.sfno import SFNO
from vcycle.networks.sinenet import SineNet
from vcycle.networks.t1 import T1
from vcycle.networks.transformer import Transformer
from vcycle.networks.unet import UNet
from vcycle.spaces import Domain

NETWORKS: dict[str, type[nn.Module]] = {
    "mgno": MgNO,
    "fno": FNO,
    "deeponet": DeepONet,
    "multionet": MultiONet,
    "lno": LNO,
    "mono": MoNO,
    "transformer": Transformer,
    "unet": UNet,
    "sinenet": SineNet,
    "t1": T1,
    "sfno": SFNO,
    "implicit": Implicit,
    "lsm": LSM,
}


def build(d: Mapping[str, Any], in_channels: int, out_channels: int, domain: Domain) -> nn.Module:
    """The network d["name"] with the other entries as options.

    Raises ValueError for a name or an option that does not exist, with the nearest one that does.

    >>> build({"name": "mgno", "width": 8, "levels": 2}, 1, 1, Domain.unit(1)).width
    8
    """
    options = dict(d)
    name = options.pop("name", None)
    if name not in NETWORKS:
        raise ValueError(f"unknown network {name!r}{did_you_mean(str(name), list(NETWORKS))}")
    known = [key for key, p in inspect.signature(NETWORKS[name]).parameters.items() if p.kind is p.KEYWORD_ONLY]
    known.remove("domain")
    for option in options:
        if option not in known:
            raise ValueError(f"{name} has no option {option!r}{did_you_mean(option, known)}")
    return NETWORKS[name](in_channels, out_channels, **options, domain=domain)
