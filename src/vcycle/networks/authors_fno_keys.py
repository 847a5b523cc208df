"""What neuraloperator calls the parameters of our FNO."""

import re
from collections.abc import Callable
from typing import Any

from vcycle.networks.authors_tensor import Tensorised


def fno_keys(o: dict[str, Any], tensor: Tensorised) -> Callable[[str], str]:
    """Our key to the foreign one, for the options of the published class."""
    skip = "conv." if o["fno_skip"] == "linear" and o["conv_bias_kernel"] == 1 else ""
    gate = "conv." if o["channel_mlp_skip"] == "linear" else ""
    norm = "norm." if o["norm"] == "batch_norm" else ""
    norms = {"neurons.norm": 0, "start.1": 0, "end.0": 1, "middle": 1}

    def kernel(found: re.Match[str]) -> str:
        key = found[2]
        return f"fno_blocks.convs.{found[1]}.{tensor.foreign(key) if key.startswith('weight') else key}"

    def normalisation(found: re.Match[str]) -> str:
        return f"fno_blocks.norm.{2 * int(found[1]) + norms[found[2]]}.{found[3] or ''}{norm}"

    def foreign(key: str) -> str:
        key = key.replace("inner.", "fcs.0.").replace("outer.", "fcs.1.")
        key = re.sub(r"^lift\.", "lifting.", key)
        key = re.sub(r"^project\.", "projection.", key)
        key = re.sub(r"^blocks\.(\d+)\.mlp\.", r"fno_blocks.channel_mlp.\1.", key)
        key = re.sub(r"^blocks\.(\d+)\.neurons\.W\.(?:1\.)?(?:fourier\.)?(.+)$", kernel, key)
        # The parts of complex networks are pairs: fr and fi.
        key = re.sub(r"^blocks\.(\d+)\.neurons\.B\.(?:skip\.)?(f[ri]\.)?", rf"fno_blocks.fno_skips.\1.\2{skip}", key)
        key = re.sub(r"^blocks\.(\d+)\.gate\.(?:skip\.)?(f[ri]\.)?", rf"fno_blocks.channel_mlp_skips.\1.\2{gate}", key)
        parts = "|".join(map(re.escape, norms))
        return re.sub(rf"^blocks\.(\d+)\.({parts})\.(f[ri]\.)?", normalisation, key)

    return foreign
