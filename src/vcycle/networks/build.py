"""Networks by name, as configurations write them."""

import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

from vcycle.networks.checks import did_you_mean
from vcycle.networks.fno import FNO
from vcycle.networks.mgno import MgNO
from vcycle.spaces import Domain

NETWORKS: dict[str, type[nn.Module]] = {"mgno": MgNO, "fno": FNO}


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
